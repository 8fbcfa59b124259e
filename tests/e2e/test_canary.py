"""Nothing that people wrote lies about in the clear: not in the store, the logs, or the socket's folder."""

from pathlib import Path

from demo.people import Person, text
from tests.e2e.conftest import Cast

GROUP = "canary-group-name-7151"
WORDS = "canary-message-text-4242 and more of it"
ALIAS = "canary-alias-9333"
WARNING = "canary-warning-5511"
NOTE = "canary-note-8877"
AGREEMENT = "canary-agreement-6464"


def test_no_canary_in_any_file(cast: Cast, tmp_path: Path) -> None:
    wren, juniper = cast("wren", "juniper")
    (tmp_path / "agreement.txt").write_text(AGREEMENT, encoding="utf-8")
    wren.up()
    juniper.up()
    wren.mesh("group", "create", GROUP, "--alias", ALIAS, "--agreement", str(tmp_path / "agreement.txt"))
    (tmp_path / "agreement.txt").unlink()
    code = text(wren.mesh("invite", "new", GROUP, "--note", NOTE), "code")
    juniper.join(code, "--alias", ALIAS + "-too")
    wren.post(GROUP, WORDS, "--cw", WARNING)
    identity = str(juniper.mesh("message", "show", _newest(juniper))["message"])
    assert WORDS in identity  # the canary is really there to be found

    while_running = _everything(wren, juniper)
    wren.kill()  # the write-ahead log stays behind
    juniper.down()
    after = _everything(wren, juniper)

    secrets = [GROUP, WORDS, ALIAS, WARNING, NOTE, AGREEMENT, code, code[:72]]
    secrets += [f"the passphrase of {person.name}" for person in (wren, juniper)]
    for name, data in [*while_running.items(), *after.items()]:
        for secret in secrets:
            assert secret.encode() not in data, f"{secret!r} lies in {name}"
    assert any(name.endswith("store.db-wal") for name in after)


def _newest(person: Person) -> str:
    person.sees(GROUP, *(), seconds=1)
    for _ in range(200):
        told = person.mesh("read", GROUP)
        messages = told["messages"]
        assert isinstance(messages, list)
        if messages:
            newest = messages[-1]
            assert isinstance(newest, dict)
            return str(newest["id"])
    raise AssertionError("juniper never got the message")


def _everything(*people: Person) -> dict[str, bytes]:
    """Read every file of these homes and of the sockets' folder; the passphrase files are not the program's."""
    found: dict[str, bytes] = {}
    for folder in [*(person.home for person in people), people[0].folder / "run"]:
        for path in sorted(folder.rglob("*")):
            assert path.lstat().st_mode & 0o077 == 0 or path.is_symlink(), f"others may open {path}"
            if path.is_file():
                found[str(path)] = path.read_bytes()
    assert len(found) >= 6
    return found
