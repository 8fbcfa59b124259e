"""`mesh crisis`: a card for whoever asks, with nothing else there, and at once."""

import os
import subprocess
from datetime import date
from pathlib import Path

import pytest

from cli.commands.crisis import entry_lines
from mesh.errors import Exit
from mesh.support.crisis import crisis_card
from mesh.support.crisis_table import COUNTRIES, INTERNATIONAL, CrisisEntry
from tests.cli.runner import COMMAND, mesh, mesh_process
from tests.cli.test_prompts import terminal

EVERY = [
    *((country, entry) for country in COUNTRIES for entry in COUNTRIES[country].entries),
    *(("XX", entry) for entry in INTERNATIONAL),
]


def test_the_number_comes_first_and_what_it_rests_on_when_it_is_asked_for(home: Path) -> None:
    ran = mesh("crisis", "--locale", "GB", home=home, passphrase=False)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[:5] == ["United Kingdom (GB)", "", "116 123", "  Samaritans", "  day and night; free"]
    assert "This is not an emergency service." in lines
    assert "https://" not in ran.out
    assert lines[-1] == "Numbers change. `mesh crisis --sources` shows where each was read, and when."
    lines = mesh("crisis", "--locale", "GB", "--sources", home=home, passphrase=False).out.splitlines()
    assert lines[2:5] == ["116 123", "  Samaritans", "  day and night; free"]
    assert lines[5] == "  read on 2026-11-23" or lines[5].startswith("  read on 2026-11-23: more than a year ago")
    assert lines[6].startswith("  https://samaritans.org/")
    assert list(home.iterdir()) == [], "it leaves nothing behind"


@pytest.mark.parametrize(("place", "entry"), EVERY, ids=[f"{place} {entry.name}" for place, entry in EVERY])
def test_each_entry_shows_its_page_and_day_when_asked(home: Path, place: str, entry: CrisisEntry) -> None:
    out = mesh("crisis", "--locale", place, "--sources", home=home).out
    assert f"\n  {entry.source}\n" in out
    assert f"read on {entry.checked.isoformat()}" in out
    assert f"\n{entry.contact}\n" in out


def test_at_a_terminal_the_number_is_bold(home: Path) -> None:
    with terminal("crisis", "--locale", "GB", home=home) as child:
        child.expect_exact("\x1b[1m116 123\x1b[0m")


def test_one_who_named_their_country_is_not_asked_to_name_another(home: Path) -> None:
    assert "another country" not in mesh("crisis", "--locale", "GB", home=home).out
    assert "`mesh crisis --locale DE`" in mesh("crisis", home=home, env={"LC_ALL": "en_GB.UTF-8"}).out


def test_words_of_ours_in_an_entry_are_told_in_the_readers_language(home: Path) -> None:
    german = {"LC_ALL": "de_DE.UTF-8"}
    assert "988 (anrufen oder schreiben)" in mesh("crisis", "--locale", "US", home=home, env=german).out
    assert "Notruf, EU" in mesh("crisis", "--locale", "XX", home=home, env=german).out
    told = mesh("crisis", "--locale", "US", "--json", home=home, env=german).json
    assert "988 (call or text); 988lifeline.org" in str(told["entries"]), "a script gets the English"


def test_a_script_gets_the_keys_of_the_contract(home: Path) -> None:
    told = mesh("crisis", "--locale", "en_GB", "--json", home=home).json
    assert set(told) == {"schema", "locale", "entries", "notice"}
    assert told["locale"] == "GB"
    (entry,) = told["entries"] if isinstance(told["entries"], list) else []
    assert isinstance(entry, dict)
    assert set(entry) == {"name", "contact", "hours", "source", "checked"}
    assert entry["checked"] == "2026-11-23"
    assert "check before relying on it" in str(told["notice"])
    assert "not an emergency service" in str(told["notice"])


def test_the_country_is_the_environments_unless_it_is_named(home: Path) -> None:
    env = {"LC_ALL": "de_AT.UTF-8"}
    assert mesh("crisis", "--json", home=home, env=env).json["locale"] == "AT"
    assert mesh("crisis", "--json", "--locale", "fr", home=home, env=env).json["locale"] == "FR"


@pytest.mark.parametrize("typed", ["XX", "nowhere", "en_XX", "\x1b]0;x\x07"])
def test_a_country_that_is_not_here_gets_the_international_card(home: Path, typed: str) -> None:
    ran = mesh("crisis", "--locale", typed, home=home)
    assert ran.code == 0
    assert ran.out.startswith("International\n")
    assert f"{INTERNATIONAL[0].contact}\n" in ran.out
    assert "There is no entry for" in ran.out
    assert "\x1b" not in ran.out
    told = mesh("crisis", "--locale", typed, "--json", home=home).json
    assert told["locale"] == "international"
    assert str(told["notice"]).startswith("There is no entry for")


@pytest.mark.parametrize("typed", ["GB", "gb", "UK", "en_GB", "United Kingdom", "united kingdom", "I live in GB"])
def test_a_country_is_known_by_what_people_type(home: Path, typed: str) -> None:
    for line in (typed.split(), [typed]):
        ran = mesh("crisis", *line, home=home)
        assert (ran.code, "(GB)" in ran.out.splitlines()[0], ran.err) == (0, True, "")


def test_a_country_is_known_by_its_name_in_the_readers_language(home: Path) -> None:
    german = {"LC_ALL": "de_AT.UTF-8"}
    for name in ("Deutschland", "germany"):
        assert mesh("crisis", name, "--json", home=home, env=german).json["locale"] == "DE"
    assert mesh("crisis", "--locale", "Germany", "--json", home=home).json["locale"] == "DE"


@pytest.mark.parametrize("words", ["help", "it is bad", "I am in pain", "please help me now", "x" * 500])
def test_words_that_name_no_country_get_the_international_card_and_the_way_to_the_others(
    home: Path, words: str
) -> None:
    ran = mesh("crisis", *words.split(), home=home)
    assert ran.code == 0
    assert ran.out.startswith("International\n")
    assert f"{INTERNATIONAL[0].contact}\n" in ran.out
    assert "Write two letters, like DE; `mesh crisis --list`" in ran.out


def test_an_environment_without_a_country_is_told_how_to_name_one(home: Path) -> None:
    out = mesh("crisis", home=home, env={"LC_ALL": "C", "LANG": "C"}).out
    assert out.startswith("International\n")
    assert "`mesh crisis --locale GB`" in out


def test_all_countries_can_be_listed(home: Path) -> None:
    out = mesh("crisis", "--list", home=home).out
    assert "country: GB; contact: 116 123; name: Samaritans; hours: day and night; free\n" in out
    assert "https://" not in out
    assert "page: https://samaritans.org/" in mesh("crisis", "--list", "--sources", home=home).out
    assert "This is not an emergency service." in out
    told = mesh("crisis", "--list", "--locale", "GB", "--json", home=home).json
    assert isinstance(told["entries"], list)
    places = [entry["locale"] for entry in told["entries"] if isinstance(entry, dict)]
    assert set(places) == {*COUNTRIES, "international"}
    assert told["locale"] == "GB"


def test_an_empty_country_is_an_empty_value(home: Path) -> None:
    assert mesh("crisis", "--locale", "", home=home).code == Exit.USAGE


def test_an_old_entry_says_so_beside_itself() -> None:
    later, samaritans = date(2028, 1, 1), COUNTRIES["GB"].entries[0]
    old = "read on 2026-11-23: more than a year ago, check first"
    assert old in entry_lines(samaritans, later, sources=False)
    assert old in entry_lines(samaritans, later, sources=True)
    assert str(crisis_card("GB", today=later).notice[-1]) == "Read more than a year ago, so check first: Samaritans."


def test_it_needs_no_home_and_makes_none(tmp_path: Path) -> None:
    missing = tmp_path / "no" / "such" / "home"
    ran = mesh_process("crisis", "--locale", "GB", home=tmp_path / "home", env={"MESH_HOME": str(missing)})
    assert ran.code == 0
    assert "116 123" in ran.out
    assert not missing.exists()


def test_it_needs_nothing_of_the_environment(tmp_path: Path) -> None:
    python = {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2])])}
    ran = subprocess.run(
        [*COMMAND, "crisis"], env=python, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "findahelpline.com" in ran.stdout
    assert list(tmp_path.iterdir()) == []
