"""`mesh crisis`: a card for whoever asks, with nothing else there, and at once."""

import os
import subprocess
from datetime import date
from pathlib import Path

import pytest

from cli.commands.crisis import card_lines
from mesh.errors import Exit
from mesh.support.crisis import crisis_card
from mesh.support.crisis_table import COUNTRIES, INTERNATIONAL
from tests.cli.runner import COMMAND, mesh, mesh_process


def test_the_card_of_a_country_names_who_listens_and_how_one_knows(home: Path) -> None:
    ran = mesh("crisis", "--locale", "GB", home=home, passphrase=False)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[:5] == ["United Kingdom (GB)", "", "Samaritans", "  116 123", "  day and night; free"]
    assert lines[5] == "  read on 2026-11-23" or lines[5].startswith("  read on 2026-11-23: more than a year ago")
    assert lines[6].startswith("  https://samaritans.org/")
    assert "This is not an emergency service." in lines
    assert list(home.iterdir()) == [], "it leaves nothing behind"


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


def test_an_environment_without_a_country_is_told_how_to_name_one(home: Path) -> None:
    out = mesh("crisis", home=home, env={"LC_ALL": "C", "LANG": "C"}).out
    assert out.startswith("International\n")
    assert "`mesh crisis --locale GB`" in out


def test_all_countries_can_be_listed(home: Path) -> None:
    out = mesh("crisis", "--list", home=home).out
    assert "country: GB; name: Samaritans; contact: 116 123; hours: day and night; free\n" in out
    assert "This is not an emergency service." in out
    told = mesh("crisis", "--list", "--locale", "GB", "--json", home=home).json
    assert isinstance(told["entries"], list)
    places = [entry["locale"] for entry in told["entries"] if isinstance(entry, dict)]
    assert set(places) == {*COUNTRIES, "international"}
    assert told["locale"] == "GB"


def test_an_empty_country_is_an_empty_value(home: Path) -> None:
    assert mesh("crisis", "--locale", "", home=home).code == Exit.USAGE


def test_an_old_entry_says_so_beside_itself() -> None:
    lines = list(card_lines(crisis_card("GB", today=date(2028, 1, 1)), date(2028, 1, 1)))
    assert "  read on 2026-11-23: more than a year ago, check first" in lines
    assert lines[-1] == "Read more than a year ago, so check first: Samaritans."


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
