"""What may leave a group, on real processes: asked for under seal, granted, exported with its warning, taken back."""

from pathlib import Path

from demo.people import Person, record, records, text, wait_for
from mesh.errors import Exit
from tests.e2e.conftest import GROUP

BODY = "canary-6161, which was hard to say"


def test_words_leave_by_their_authors_word_and_stay_once_that_is_taken_back(
    pair: tuple[Person, Person], tmp_path: Path
) -> None:
    wren, juniper = pair
    said = text(record(juniper.post(GROUP, BODY, "--cw", "grief"), "message"), "id")
    page = tmp_path / "grief.html"

    def exported() -> tuple[object, str]:
        told = wren.mesh("export", GROUP, "--format", "html", "--out", str(page), "--yes")
        return told["withheld"], page.read_text(encoding="utf-8")

    def state() -> object:
        (asked,) = records(wren.mesh("share", "list"), "asked")
        return asked["state"]

    wait_for(lambda: exported()[0] == 1, "it to come to wren", 30)
    assert BODY not in exported()[1]
    wren.mesh("post", GROUP, "as she says", "--quote", said)
    wren.mesh("share", "ask", said, "--for", "the other group")
    wait_for(lambda: len(records(juniper.mesh("share", "list"), "questions")) == 1, "the question to come", 30)
    assert state() == "asked"
    juniper.mesh("share", "grant", said)
    wait_for(lambda: state() == "granted", "the answer to come", 30)
    withheld, document = exported()
    assert withheld == 0
    before, _, inside = document.partition("<details>")
    assert BODY not in before
    assert BODY in inside.partition("</details>")[0]
    assert page.stat().st_mode & 0o777 == 0o600
    juniper.mesh("share", "withdraw", said)
    wait_for(lambda: state() != "granted", "that it was taken back to come", 30)
    assert BODY not in exported()[1]
    wren.down()  # the same without a node
    assert wren.mesh("export", GROUP, "--format", "json")["withheld"] == 1
    assert BODY not in str(wren.mesh("export", GROUP, "--format", "json"))
    wren.mesh("share", "grant", said, exit=(Exit.REFUSED,))
