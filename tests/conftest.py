"""What every test stands on: the hypothesis profiles, and the markers that `make test` sorts its parts by.

Markers follow from where a test lives and whether hypothesis drives it, so that nobody has to remember them.
"""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

TESTS = Path(__file__).parent
FOLDERS = {"e2e": "e2e", "simulations": "sim"}

# No deadline in any profile: two shared cores make a slow example mean nothing.
# In CI the same commit gives the same verdict; a developer's `fast` runs draw other examples each time.
settings.register_profile("fast", max_examples=50, deadline=None)
settings.register_profile("ci", max_examples=50, deadline=None, derandomize=True, print_blob=True, database=None)
settings.register_profile(
    "long",
    max_examples=5_000,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.target, Phase.shrink],
)
# `make mutants`: the same examples each time, and no care for the smallest one that fails.
settings.register_profile(
    "mutants",
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "fast"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by its folder (`e2e`, `sim`), and as `property` when hypothesis drives it."""
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0] if item.path.is_relative_to(TESTS) else ""
        if folder in FOLDERS:
            item.add_marker(FOLDERS[folder])
        if isinstance(item, pytest.Function) and getattr(item.obj, "is_hypothesis_test", False):
            item.add_marker("property")
