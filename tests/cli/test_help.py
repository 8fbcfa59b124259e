"""Pages of help: that --json holds for them too, that a mistyped word is one, that examples can be copied."""

from pathlib import Path

import pytest

from mesh.errors import Exit
from mesh.peer.settings import GROUP_SETTINGS, OWN_SETTINGS
from tests.cli.runner import mesh, mesh_process


@pytest.mark.parametrize(
    ("line", "holds"),
    [
        (("--help",), "Start with `mesh init`"),
        (("group", "create", "--help"), "--history"),
        (("id", "-h"), "passphrase"),
        (("help", "group", "create"), "--history"),
        (("help",), "Start with `mesh init`"),
    ],
)
def test_a_page_is_one_object_for_a_script(home: Path, line: tuple[str, ...], holds: str) -> None:
    ran = mesh(*line, "--json", home=home)
    assert (ran.code, set(ran.json)) == (0, {"schema", "help"})
    assert holds in str(ran.json["help"])
    assert holds in mesh(*line, home=home).out


def test_the_version_is_one_object_for_a_script(home: Path) -> None:
    told = mesh_process("--version", "--json", home=home)
    assert told.json == mesh("version", "--json", home=home).json


@pytest.mark.parametrize("line", [("group",), ("group", "agreement"), ("id",)])
def test_a_script_that_leaves_out_the_command_is_told_so(home: Path, line: tuple[str, ...]) -> None:
    ran = mesh("--json", *line, home=home)
    error = ran.json["error"]
    assert isinstance(error, dict)
    assert (ran.code, error["code"]) == (Exit.USAGE, "E-USAGE")
    assert "show" in str(error["candidates"])
    assert mesh(*line, home=home).code == 0, "a person is shown the page"


def test_help_for_what_does_not_exist_names_what_it_may_have_been(home: Path) -> None:
    for line in (("help", "pots"), ("pots", "--help")):
        ran = mesh(*line, home=home)
        assert (ran.code, ran.out) == (Exit.USAGE, "")
        assert "You may mean `mesh post`." in ran.err
    assert "`mesh group leave`" in mesh("help", "leave", home=home).err


def test_each_example_stands_on_a_line_of_its_own(home: Path) -> None:
    lines = mesh("talk", "--help", home=home).out.splitlines()
    assert "  mesh talk Tuesday juniper" in lines
    assert "  mesh talk Tuesday juniper --accept" in lines


def test_the_settings_of_a_group_are_listed_with_the_values_that_they_take(home: Path) -> None:
    page = mesh("group", "set", "--help", home=home).out
    items = [line.strip() for line in page.splitlines() if line.startswith("  - ")]
    assert any(item.startswith("- history none, last:N (1 to 500) or days:N (1 to 90):") for item in items)
    for key, values in {**GROUP_SETTINGS, **OWN_SETTINGS}.items():
        numbers = f"{values[0]} to {values[-1]}"
        taken = numbers if values[-1].isdecimal() else " or ".join((", ".join(values[:-1]), values[-1]))
        assert any(item.startswith(f"- {key} {taken}:") for item in items), key


@pytest.mark.parametrize("empty", ["", " "])
def test_a_home_without_a_name_is_not_the_folder_that_one_is_in(home: Path, empty: str) -> None:
    for ran in (mesh("status", home=home, env={"MESH_HOME": empty}), mesh("status", "--home", empty, home=home)):
        assert ran.code == Exit.USAGE
        assert "the name is empty" in ran.err


@pytest.mark.parametrize("locale", ["nonsense", "EN", "en_GB", "en-gb", "e", "en-GB-", "en-GB.UTF-8", ""])
def test_what_is_no_locale_is_refused_before_anything_is_made(home: Path, locale: str) -> None:
    ran = mesh("init", "--locale", locale, home=home)
    assert ran.code == Exit.USAGE
    assert "no language and country" in ran.err
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("warning", ["", " "])
def test_a_warning_without_a_text_is_no_warning(home: Path, warning: str) -> None:
    ran = mesh("post", "grief", "Words.", "--cw", warning, home=home)
    assert ran.code == Exit.USAGE
    assert "What was given with --cw is empty." in ran.err
