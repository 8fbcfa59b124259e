# Set up and check Support Mesh. Needs Python 3.11 to 3.13, make and git; no compiler, no root. Linux (glibc) and
# macOS (Apple silicon). Written for GNU make 3.81 too, which macOS ships.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
  if "$$p" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1; \
  then command -v "$$p"; break; fi; done)
# The closure is complete and hash-pinned, so pip resolves nothing and fetches nothing to build with.
PIP := $(BIN)/python -m pip install --disable-pip-version-check --no-input --no-deps --no-build-isolation
UV_VERSION := 0.13.9
ARGS ?=

PYTEST := $(BIN)/python -m pytest -q
# $(call part,NAME,COMMAND): a heading, the command, its seconds and its exit code.
part = @printf '\n== %s ==\n' '$(1)'; began=$$(date +%s); $(2); code=$$?; \
  test $$code -eq 0 && said=ok || said=FAILED; \
  printf '== %s: %s, %s s ==\n' '$(1)' "$$said" "$$(($$(date +%s) - began))"; exit $$code
# $(call closure,NAME): install requirements/NAME.lock; name what had to be built, show all only when it fails.
closure = @$(PIP) --require-hashes -r requirements/$(1).lock > $(VENV)/$(1).log 2>&1 \
  || { cat $(VENV)/$(1).log; exit 1; }; \
  grep '^Successfully built' $(VENV)/$(1).log || true

.PHONY: help install dev model dask demo bench bench-model soak crowd lab sweep hunt attacks faults test-report mutants test lint types house unit property e2e sim-short format words lock clean
.NOTPARALLEL:

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

install: $(VENV)/.runtime $(VENV)/.mesh ## the mesh command, at .venv/bin/mesh
	@echo "Ready: $(BIN)/mesh"

model: install $(VENV)/.model ## what `mesh sim model` needs beside it: numpy, 70 MB

dask: install $(VENV)/.dask ## what `mesh sim sweep --executor dask://…` needs beside it: distributed, 50 MB

dev: $(VENV)/.dev $(VENV)/.mesh ## what the checks need

demo: install ## four nodes on this machine talk, lose each other, catch up (ARGS=--keep leaves their homes)
	@$(BIN)/python -P -m demo.run $(ARGS)

bench: dev ## how long things take here, beside their bars and (ARGS="--scripts … --installed …") beside other meshes
	@$(BIN)/python -P -m benchmarks.sitting $(ARGS)

test: dev lint types house unit property e2e sim-short ## every check, in this order
	@printf '\nEvery check passed.\n'

lint: dev ## ruff's rules and format
	$(call part,lint,$(BIN)/ruff check && $(BIN)/ruff format --check)

types: dev ## mypy, strict
	$(call part,types,$(BIN)/mypy)

house: dev ## who may import whom, and the house's other rules
	$(call part,house,$(PYTEST) tests/test_house.py)

unit: dev ## each module against its own test
	$(call part,unit,$(PYTEST) --ignore tests/test_house.py -m 'not property and not e2e and not sim and not long')

property: dev ## what must hold for any input (HYPOTHESIS_PROFILE=long digs)
	$(call part,property,$(PYTEST) -m 'property and not e2e and not sim and not long')

e2e: dev ## real processes, driven through the mesh command
	$(call part,e2e,$(PYTEST) -m 'e2e and not long')

sim-short: dev ## many peers under one seed, small worlds
	$(call part,sim-short,$(PYTEST) -m 'sim and not long')

bench-model: dev ## a flood of a million nodes, and what a node's tables take (ARGS="--nodes 100000")
	@$(BIN)/python -P -m benchmarks.model $(ARGS)

soak: dev ## real nodes talk for ten minutes while links break: does anything grow? (ARGS="--minutes 3")
	@$(BIN)/python -P -m tests.e2e.soak $(ARGS)

crowd: dev ## a thousand nodes: copies and latency beside a plain mesh (about 3 minutes; ARGS="--nodes 200")
	@$(BIN)/python -P -m simulations.crowd $(ARGS)

lab: dev ## real nodes carry out the simulator's plans: do the two agree? (about 20 minutes; ARGS="partition-heal")
	@$(BIN)/python -P -m simulations.lab.agreement $(ARGS)

sweep: dev ## every scenario at a small size with 20 seeds; what is there is not run again (ARGS="--seeds 0..200")
	@$(BIN)/mesh sim sweep $(ARGS)

hunt: dev ## random groups without end, each judged three ways (ARGS="--graphs 20000")
	@$(BIN)/python -P -m tests.membership.hunt $(ARGS)

attacks: dev ## take each defence out in turn: the test of the attack against it must fail (ARGS=33 tries one)
	@$(BIN)/python -P -m tests.attacks.run $(ARGS)

faults: dev ## plant each fault in turn: do the ordinary scenarios find it? (ARGS=07 plants one)
	@$(BIN)/python -P -m tests.simulations.planted $(ARGS)

test-report: dev ## pages of runs in a browser: no errors, no requests, all drawn (needs Chromium)
	@$(BIN)/python -P -m tests.simulations.browser $(ARGS)

mutants: dev ## put small faults into the code: does a test notice? (ARGS="--sample 200 --seed 1" tries some)
	@$(BIN)/python -P -m tests.mutation.run $(ARGS)

format: dev ## let ruff mend what it can
	@$(BIN)/ruff check --fix-only --quiet && $(BIN)/ruff format

words: dev ## take every sentence of the source into the catalogue (cli/locale)
	@$(BIN)/python -P -m tests.words.catalogue

lock: ## make the locks anew from requirements/*.in
	@rm -rf $(VENV)-uv && $(PYTHON) -m venv $(VENV)-uv && $(VENV)-uv/bin/pip install -q uv==$(UV_VERSION)
	@for name in build runtime model dask dev; do $(VENV)-uv/bin/uv pip compile -q requirements/$$name.in \
	  $$(test $$name = dask && echo --constraint requirements/runtime.lock) \
	  --override requirements/overrides.txt --generate-hashes --no-emit-index-url --no-header \
	  --universal --python-version 3.11 -o requirements/$$name.lock || exit 1; done; rm -rf $(VENV)-uv

clean: ## forget the set-up and every cache
	@rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.made: requirements/build.lock
	@test -n "$(PYTHON)" || { echo "Support Mesh needs Python 3.11, 3.12 or 3.13 with its venv module, and found none." \
	  "Install one (Debian, Ubuntu: python3 and python3-venv), or name it: make install PYTHON=…/python3.12" >&2; \
	  exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version): about a minute, 200 MB; 300 MB with what the checks need"
	@$(PYTHON) -m venv $(VENV)
	$(call closure,build)
	@touch $@

$(VENV)/.runtime: requirements/runtime.lock $(VENV)/.made
	$(call closure,runtime)
	@touch $@

$(VENV)/.model: requirements/model.lock $(VENV)/.made
	$(call closure,model)
	@touch $@

$(VENV)/.dask: requirements/dask.lock $(VENV)/.made
	$(call closure,dask)
	@touch $@

# libp2p brings trio-typing, whose stubs for trio 0.22 would hide trio's own types from mypy.
$(VENV)/.dev: requirements/dev.lock $(VENV)/.made
	$(call closure,dev)
	@rm -rf $(VENV)/lib/python3*/site-packages/trio-stubs $(VENV)/lib/python3*/site-packages/outcome-stubs
	@touch $(VENV)/.runtime $(VENV)/.model $(VENV)/.dask $@

# Editable, so that a clone that is pulled runs what it holds.
$(VENV)/.mesh: pyproject.toml $(VENV)/.made
	@$(PIP) --quiet --editable .
	@touch $@
