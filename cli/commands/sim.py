"""`sim`: networks of real nodes: what scenarios there are, run them, run one again, make it smaller, try it for real.

The simulator is the whole core: it is imported by the functions that use it, so that completion and help stay quick.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import App, Parameter

from cli.commands.sim_model import model
from cli.commands.sim_sweep import sweep
from cli.context import Context
from cli.live import Live
from cli.options import Flag, Here, WordsOrNone
from cli.output import one_line
from cli.seeds import read_seeds
from cli.words import tell, tell_many
from mesh.errors import Exit, LocalError
from mesh.node.local.protocol import JsonObject
from mesh.phrases import phrase

if TYPE_CHECKING:
    from simulations.keeping import Kept
    from simulations.lab.agreement import Compared
    from simulations.lab.running import LabResult
    from simulations.plans import Plan
    from simulations.running import Result
    from simulations.scenario import Scenario
    from simulations.shrinking import Shrunk
    from simulations.stage import Done, Stage

OUT: Final = Path("runs")
LATENCIES: Final = {
    "p50": "latency_p50_ms",
    "p95": "latency_p95_ms",
    "p99": "latency_p99_ms",
    "max": "latency_max_ms",
}

app = App(name="sim", help="Simulate networks of real nodes: run scenarios by seed, replay and shrink what fails.")
app.command(model)
app.command(sweep)


@app.command(name="list")
def list_(*, context: Here) -> None:
    """Name every scenario, with the question that it puts."""
    from simulations.scenarios import names, scenario

    found = [scenario(name) for name in names()]
    context.out.result({"scenarios": [{"name": one.name, "question": one.question} for one in found]})
    context.out.table((tell("name"), tell("question")), [(one.name, one.question) for one in found])


@app.command
def show(name: str, /, *, context: Here) -> None:
    """Show a scenario: its question, what happens in it, its parameters, and what must hold in the end.

    Parameters
    ----------
    name
        Its name (`mesh sim list`), or a file in TOML.
    """
    one = _found(name)
    bounds = [tell("{figure} is {bound}", figure=key, bound=str(bound)) for key, bound in one.bounds.items()]
    told: JsonObject = {
        "name": one.name,
        "question": one.question,
        "about": one.about,
        "parameters": dict(one.parameters),
        "bounds": {key: {"least": bound.least, "most": bound.most} for key, bound in one.bounds.items()},
    }
    parameters = [f"  {key} = {value:g}" for key, value in one.parameters.items()]
    must = [f"  {line}" for line in bounds]
    lines = [one.name, one.question, "", one.about, "", tell("Parameters (--set NAME=VALUE):"), *parameters]
    context.out.result(told, [*lines, *([tell("Beside the checks of every run:"), *must] if must else [])])


@app.command(name="run")
def run_(
    name: str,
    /,
    *,
    nodes: Annotated[int | None, Parameter(metavar="N")] = None,
    seed: Annotated[int, Parameter(metavar="S")] = 0,
    seeds: Annotated[str | None, Parameter(metavar="A..B")] = None,
    set_: Annotated[WordsOrNone, Parameter(metavar="K=V", negative="")] = None,
    out: Annotated[Path, Parameter(metavar="DIR")] = OUT,
    watch: Flag = False,
    context: Here,
) -> int:
    """Run a scenario, and say whether what must hold did. The exit status is 1 if it did not.

    Each node is the very code that runs for people; the network, the clocks and the disks are the simulator's. The
    same seed and code give the same digest on every machine. What it cannot tell: how long a processor takes.

    mesh sim run partition-heal --seed 7
    mesh sim run flash-crowd --nodes 5 --set crowd=20 --seeds 0..20

    Parameters
    ----------
    name
        Its name (`mesh sim list`), or a file in TOML.
    nodes
        How many members there are at first, in the place of the scenario's own number.
    seed
        From which number all chance is drawn.
    seeds
        Several, one after the other: 0..20 are twenty, from 0 to 19.
    set_
        A parameter's value, as often as you like.
    out
        Where what comes of each run is kept, in a folder of its own.
    watch
        Show each step as it is carried out, and on a terminal how far the run is.
    """
    one, given = _found(name), _given(set_ or (), nodes, name)
    results = [_run_one(context, one, number, given, out, watch=watch) for number in _numbers(seed, seeds)]
    failed = [result for result in results if not result.passed]
    told = [{**_as_json(result, out), "report": str(_page(result, out))} for result in results]
    context.out.result({"run": told[0]} if len(told) == 1 else {"runs": [*told]})
    if not context.out.json:
        for result in results if len(results) == 1 else failed:
            context.out.result({}, [*_lines(result, out), tell("  page: {path}", path=str(_page(result, out)))])
        if len(results) > 1:
            passed = len(results) - len(failed)
            context.out.result({}, [tell("{passed} of {all} runs passed.", passed=passed, all=len(results))])
    return Exit.FAILED if failed else Exit.OK


@app.command
def report(folder: Path, /, *, context: Here) -> int:
    """Write the page of a run, or of all runs in a folder. It is one file that needs no network: open it in a browser.

    What failed stands first, with what to type to see it again. Pictures show how long posts took, bytes over time,
    the network and its cuts, and the way of one message. Behind each picture is a table.

    mesh sim report runs/partition-heal-7
    mesh sim report runs

    Parameters
    ----------
    folder
        The folder of a run, or one that holds several.
    """
    from simulations.pages.writing import report as write

    page, runs = write(folder)
    context.out.result({"report": str(page), "runs": runs}, [tell("The page is at {path}.", path=str(page))])
    return Exit.OK


@app.command
def replay(run: Path, /, *, context: Here) -> int:
    """Run again what was kept of a run, and say whether the same came of it.

    Parameters
    ----------
    run
        Its folder, or its plan.
    """
    from simulations.keeping import kept

    before = kept(run)
    result = _again(before)
    same = before.result.get("digest") == result.digest
    told: JsonObject = {"run": _as_json(result, before.path.parent), "same": same}
    context.out.result(told, [*_lines(result, before.path.parent), _compared(before, same=same)])
    return Exit.OK if result.passed else Exit.FAILED


@app.command(name="shrink")
def shrink_(
    run: Path,
    /,
    *,
    check: Annotated[str, Parameter(metavar="NAME")] = "",
    runs: Annotated[int, Parameter(metavar="N")] = 400,
    context: Here,
) -> int:
    """Make a run that failed smaller: leave out steps and people for as long as the same check still fails.

    Parameters
    ----------
    run
        Its folder, or its plan.
    check
        Which check is to go on failing; left out, the first that failed.
    runs
        How many runs that may take.
    """
    from simulations.keeping import keep, kept
    from simulations.pages.writing import report as write
    from simulations.shrinking import shrink

    before = kept(run)
    failed = check or next(iter(_again(before).failed), "")
    if not failed:
        raise LocalError("Nothing failed in that run.", do="Shrink one that failed.", code="E-SIM")
    context.out.say(tell("Making it smaller while this fails: {check}", check=failed))
    small = shrink(before.plan, before.seed, failed, bounds=before.bounds, runs_max=runs, told=None)
    folder = keep(before.path / "small", small.plan, small.result, before.bounds, before.question)
    write(folder)
    context.out.result(_shrunk_json(small, folder), list(_shrunk_lines(before.plan, small, folder)))
    return Exit.OK


@app.command
def lab(
    name: str,
    /,
    *,
    nodes: Annotated[int | None, Parameter(metavar="N")] = None,
    seed: Annotated[int, Parameter(metavar="S")] = 0,
    set_: Annotated[WordsOrNone, Parameter(metavar="K=V", negative="")] = None,
    context: Here,
) -> int:
    """Try a scenario with real nodes on this machine, and compare what came of it with the simulator.

    Each node is a process of its own, with its own store. They talk over 127.0.0.1, in the scenario's weather. It takes
    as long as the scenario says, and about half a minute to begin. Nothing is left of it. The exit status is 1 if the
    two do not agree.

    mesh sim lab plain-evening --nodes 4 --set posts=10 --set seconds=10

    Parameters
    ----------
    name
        Its name (`mesh sim list`), or a file in TOML.
    nodes
        How many members there are at first, in the place of the scenario's own number.
    seed
        From which number the plan and the weather are drawn.
    set_
        A parameter's value, as often as you like.
    """
    from simulations.lab.agreement import SMALL_WORLDS, compare, in_worlds
    from simulations.lab.running import run_in_lab
    from simulations.lab.stage import require_able

    plan = _found(name).plan(seed, _given(set_ or (), nodes, name))
    require_able(plan)
    context.out.say(tell("In the simulator …"))
    worlds = in_worlds(plan, seed, name, SMALL_WORLDS)
    context.out.say(tell("Real nodes begin …"))
    result = run_in_lab(plan, seed, on_step=lambda done: context.out.say(_step_line(done)))
    rows = compare(name, worlds, [result])
    met = all(one.met for one in rows)
    compared: list[JsonObject] = [{**asdict(one), "off": one.off, "met": one.met} for one in rows]
    told: JsonObject = {"scenario": name, "seed": seed, "plan": plan.name, **result.to_json()}
    context.out.result({"lab": {**told, "compared": [*compared]}, "passed": met})
    if not context.out.json:
        context.out.result({}, _lab_lines(result))
    _show_compared(context, rows)
    return Exit.OK if met else Exit.FAILED


# ---------------------------------------------------------------- what is asked


def _found(name: str) -> "Scenario":
    from simulations.own import read_own
    from simulations.scenarios import scenario

    return read_own(Path(name)) if name.endswith(".toml") else scenario(name)


def _given(pairs: Sequence[str], nodes: int | None, name: str) -> Mapping[str, float]:
    from simulations.plans import PEOPLE_MAX

    given: dict[str, float] = {}
    for pair in pairs:
        key, _, value = pair.partition("=")
        try:
            given[key] = float(value)
        except ValueError as error:
            raise LocalError(
                phrase("“{typed}” is no NAME=VALUE with a number.", typed=pair[:40]), code="E-USAGE"
            ) from error
    if nodes is not None:
        if not 1 <= nodes <= PEOPLE_MAX:
            raise LocalError(phrase("--nodes is from 1 to {most}.", most=PEOPLE_MAX), code="E-USAGE")
        given[_found(name).size] = nodes
    return given


def _numbers(seed: int, seeds: str | None) -> range:
    return range(seed, seed + 1) if seeds is None else read_seeds(seeds)


# ---------------------------------------------------------------- what is done


def _run_one(
    context: Context, one: "Scenario", seed: int, given: Mapping[str, float], out: Path, *, watch: bool
) -> "Result":
    from simulations.keeping import keep
    from simulations.pages.writing import report as write
    from simulations.running import run

    live = Live.on(context.out)

    def show_step(done: "Done") -> None:
        live.clear()
        context.out.say(_step_line(done))

    def look_on(stage: "Stage") -> None:
        stage.world.watchers.append(lambda *_: live.show(lambda: _so_far(stage)))

    plan = one.plan(seed, given)
    told, begun = (show_step, look_on) if watch else (None, None)
    result = run(plan, seed, scenario=one.name, bounds=one.bounds, told=told, begun=begun)
    live.clear()
    write(keep(out, plan, result, one.bounds, one.question))
    return result


def _so_far(stage: "Stage") -> str:
    """Say how far a run is, in a line."""
    return tell(
        "{now} s: step {done} of {steps}; {up} of {nodes} nodes run; {posts} posts, {reads} times read; {bytes} B came",
        now=f"{stage.world.now_ms / 1000:.1f}",
        done=len(stage.journal),
        steps=len(stage.plan.steps),
        up=sum(person.node.up for person in stage.people.values()),
        nodes=len(stage.people),
        posts=len(stage.watch.posts),
        reads=sum(len(shown) for shown in stage.watch.shown.values()),
        bytes=sum(stage.measures.pairs.values()),
    )


def _again(before: "Kept") -> "Result":
    from simulations.running import run

    return run(before.plan, before.seed, scenario=before.scenario, bounds=before.bounds)


def _compared(before: "Kept", *, same: bool) -> str:
    from simulations.running import code_name, locks_name

    if same:
        return tell("The same came of it: the digest is what it was.")
    if (before.result.get("code"), before.result.get("locks")) != (code_name(), locks_name()):
        return tell("Something else came of it: the code is not what it was.")
    return tell(
        "Something else came of it, though the code is what it was. The simulator is wrong there: please tell us."
    )


# ---------------------------------------------------------------- what is said


def _step_line(done: "Done") -> str:
    return f"{done.step}{f'  ({one_line(done.why)})' if done.why else ''}"


def _lab_lines(result: "LabResult") -> Iterator[str]:
    if result.settle_s is None:
        yield tell("The nodes did not come to agree.")
    if count := len(result.passed_over):
        yield tell_many("  {count} step could not be done", "  {count} steps could not be done", count=count)


def _show_compared(context: Context, rows: "Sequence[Compared]") -> None:
    context.out.table(
        (tell("figure"), tell("simulator"), tell("real nodes"), tell("deviation"), tell("bound")),
        [
            (
                one.figure,
                f"{one.level1:,.6g}",
                f"{one.level3:,.6g}",
                f"{one.off:+,.4g}",
                _bound_of(one),
            )
            for one in rows
        ],
    )


def _bound_of(one: "Compared") -> str:
    if one.most is None:
        return tell("no bound")
    bound = f"± {one.most:,.4g}" if one.most else tell("equal")
    return tell("{bound}: met", bound=bound) if one.met else tell("{bound}: MISSED", bound=bound)


def _as_json(result: "Result", out: Path) -> JsonObject:
    return {**result.to_json(), "replay": _replay(result, out)}


def _replay(result: "Result", out: Path) -> str:
    return f"mesh sim replay {out / f'{result.scenario}-{result.seed}'}"


def _page(result: "Result", out: Path) -> Path:
    from simulations.pages.writing import REPORT

    return out / f"{result.scenario}-{result.seed}" / REPORT


def _lines(result: "Result", out: Path) -> Iterator[str]:
    verdict = tell("passed") if result.passed else tell("FAILED")
    yield tell("{scenario}, seed {seed}: {verdict}", scenario=result.scenario, seed=result.seed, verdict=verdict)
    for check in result.checks:
        if not check.passed:
            yield tell("  failed: {check}: {found}", check=check.name, found=check.found)
    figures = result.figures
    delivered, posts = int(figures["deliveries"]), int(figures["posts"])
    share = f"{figures['delivery_ratio']:.1%}"
    yield tell(
        "  {share} delivered: {posts} posts, {delivered} times read", share=share, posts=posts, delivered=delivered
    )
    if "latency_max_ms" in figures:
        times = ", ".join(f"{name} {figures[figure] / 1000:.3f} s" for name, figure in LATENCIES.items())
        yield tell("  from the post to a reader: {times}", times=times)
    yield tell(
        "  {copies} copies of a message to a node; {up} B sent by a node on the average, {most} B at most",
        copies=f"{figures['copies']:.2f}",
        up=f"{figures['up_bytes_mean']:.0f}",
        most=f"{figures['up_bytes_max']:.0f}",
    )
    if result.passed_over:
        count = len(result.passed_over)
        yield tell_many("  {count} step could not be done", "  {count} steps could not be done", count=count)
    yield tell("  digest {digest}", digest=result.digest)
    if not result.passed:
        yield tell("  again: {command}", command=_replay(result, out))


def _shrunk_json(small: "Shrunk", folder: Path) -> JsonObject:
    return {
        "check": next(iter(small.result.failed)),
        "steps": [str(step) for step in small.plan.steps],
        "runs": small.runs,
        "replay": f"mesh sim replay {folder}",
    }


def _shrunk_lines(before: "Plan", small: "Shrunk", folder: Path) -> Iterator[str]:
    yield tell(
        "{few} of {all} steps are left, after {runs} runs:",
        few=len(small.plan.steps),
        all=len(before.steps),
        runs=small.runs,
    )
    yield from (f"  {step}" for step in small.plan.steps)
    yield from (
        tell("  failed: {check}: {found}", check=check.name, found=check.found)
        for check in small.result.checks
        if not check.passed
    )
    yield tell("  again: {command}", command=f"mesh sim replay {folder}")
