"""The door for others: what it names is there and told of; bots are told once; the fixture and the examples work."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from mesh.errors import LocalError
from simulations import api, fixtures
from simulations.api import Crash, GroupId, Heard, Person, PlanError, World, circle, hears, try_scenario, watched
from simulations.checks import Watch

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def pytest_of_others(*arguments: str, where: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run pytest as somebody else would, with the plugin that an installation brings."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "simulations.fixtures", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=where, check=False, capture_output=True, text=True, timeout=120)


def test_all_that_is_promised_is_there_and_in_the_docs() -> None:
    text = (ROOT / "docs/simulations.md").read_text(encoding="utf-8")
    _, _, after = text.partition("\n## From Python and pytest\n")
    section, _, _ = after.partition("\n## ")
    told = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", section))))
    assert [name for name in api.__all__ if not hasattr(api, name)] == []
    assert [name for name in api.__all__ if name not in told] == []


# ---------------------------------------------------------------- bots


def listening(seed: int = 1) -> tuple[World, Person, Person, list[Heard], GroupId]:
    """Give a world in which one listens to another, and what was heard."""
    world = watched(seed)
    gid, (wren, bot) = circle(world, "wren", "bot")
    heard: list[Heard] = []
    hears(bot, heard.append)
    return world, wren, bot, heard, gid


def test_a_bot_is_told_once_by_whom_and_what_and_not_of_its_own() -> None:
    world, wren, bot, heard, gid = listening()
    post = wren.post(gid, "Good evening.")
    bot.post(gid, "Welcome.")
    world.run(30)
    assert heard == [Heard(group=gid, post=post, author="wren", text="Good evening.")]


@pytest.mark.parametrize("how", list(Crash))
def test_a_bot_whose_machine_stops_at_any_commit_is_told_once_all_the_same(how: Crash) -> None:
    for after in range(1, 5):
        world, wren, bot, heard, gid = listening()
        bot.node.crash, bot.node.crash_at_commit = how, bot.node.commits + after
        wren.post(gid, "Good evening.")
        world.run(20)
        if not bot.node.up:
            bot.on()
        world.run(30)
        assert [one.text for one in heard] == ["Good evening."]


def test_what_a_bot_does_wrong_comes_out() -> None:
    world, wren, bot, _, gid = listening()
    hears(bot, lambda _: bot.remove(gid, wren.member(gid)))
    wren.post(gid, "Good evening.")
    with pytest.raises(LocalError):
        world.run(30)


def test_a_watched_world_is_watched() -> None:
    (watcher,) = watched(1).watchers
    assert getattr(watcher, "__func__", None) is Watch.step


# ---------------------------------------------------------------- scenarios


def test_a_scenario_is_tried_by_name_or_file_and_kept(tmp_path: Path) -> None:
    result = try_scenario("partition-heal", 3, {"posts": 2}, tmp_path)
    assert result.passed
    assert (tmp_path / "partition-heal-3" / "report.html").is_file()
    assert try_scenario(EXAMPLES / "evening.toml").passed
    with pytest.raises(PlanError, match="No parameter"):
        try_scenario("partition-heal", given={"wind": 3})


# ---------------------------------------------------------------- the fixture

FAILING = """
def test_one(mesh_world):
    mesh_world(loss=0.1).run(5)
    assert mesh_world().seed < 3

def test_two(mesh_seed):
    pass

def test_three():
    pass
"""


def test_the_fixture_goes_through_seeds_and_says_which_failed(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(FAILING)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    ran = pytest_of_others("--mesh-seeds", "2..4", where=tmp_path)
    assert "1 failed, 4 passed" in ran.stdout, ran.stdout + ran.stderr
    assert "test_one[3]" in ran.stdout
    assert "seed 3, after 5000 ms of virtual time, digest " in ran.stdout
    assert "again: --mesh-seeds 3..4" in ran.stdout


@pytest.mark.parametrize("said", ["7", "5..5", "0..99999999", "a..b", "0..²"])
def test_what_is_no_range_of_seeds_is_said(said: str) -> None:
    with pytest.raises(pytest.UsageError, match="--mesh-seeds is a range of at most"):
        fixtures._seeds(said)


# ---------------------------------------------------------------- the examples


def test_the_bot_of_the_examples_keeps_its_tests() -> None:
    ran = pytest_of_others("examples")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "4 passed" in ran.stdout


def test_the_story_goes_as_the_readme_and_the_docs_tell_it(capsys: pytest.CaptureFixture[str]) -> None:
    story = (EXAMPLES / "story.py").read_text(encoding="utf-8").partition('"""\n\n')[2]
    for name in ("README.md", "docs/simulations.md"):
        assert f"```python\n{story}```" in (ROOT / name).read_text(encoding="utf-8"), name
    for _ in range(2):
        runpy.run_path(str(EXAMPLES / "story.py"))
    first, again = capsys.readouterr().out.splitlines()
    assert first == again
    assert re.fullmatch(r"\d+ ms of virtual time, [0-9a-f]{16}", first)


def test_worse_lines_are_told_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLES / "worse_lines.py"))["main"](tmp_path)
    out = capsys.readouterr().out.splitlines()
    assert len(out) == 5
    assert out[-1] == f"3 runs: {tmp_path / 'report.html'}"
