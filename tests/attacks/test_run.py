"""The runner: it tells a test that notices from one that does not, and leaves its copy as it was."""

from pathlib import Path

from tests.attacks.index import attacks
from tests.attacks.run import copy_tree, try_attack


def test_a_test_that_does_not_notice_is_told_from_one_that_does(tmp_path: Path) -> None:
    where = tmp_path / "copy"
    where.mkdir()
    copy_tree(where)
    before = snapshot(where)
    by_number = {attack.number: attack for attack in attacks()}
    gen, flood = by_number[14], by_number[40]
    verdict, why = try_attack(gen, gen.patch, where)
    assert (verdict, why) == ("caught", "Failed: DID NOT RAISE RemoteError")
    assert try_attack(gen, flood.patch, where) == ("NOT CAUGHT", "")  # another defence is out
    bent = tmp_path / "bent.patch"
    text = gen.patch.read_text()
    bent.write_text(text.replace("\n-  ", "\n-not there"))
    assert try_attack(gen, bent, where) == ("PATCH DOES NOT APPLY", "")
    bent.write_text(text.replace("\n+  ", "\n+(("))  # what is no Python shows nothing
    assert try_attack(gen, bent, where)[0] == "BROKEN"
    assert snapshot(where) == before


def snapshot(where: Path) -> dict[str, bytes]:
    """Everything in a folder."""
    return {str(path.relative_to(where)): path.read_bytes() for path in sorted(where.rglob("*")) if path.is_file()}
