"""Two people read a number to each other, on real processes, with a node up or down."""

from demo.people import Person, record, records, text, wait_for
from tests.e2e.conftest import GROUP

MISMATCH = 6


def test_two_compare_confirm_and_are_told_of_what_differs(pair: tuple[Person, Person]) -> None:
    wren, juniper = pair
    number = text(juniper.mesh("verify", GROUP, "wren"), "safety_number")
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    refused = wren.mesh("verify", GROUP, "juniper", "--compare", wrong, "--confirm", exit=(MISMATCH,))
    assert text(record(refused, "error"), "code") == "E-MISMATCH"
    assert wren.mesh("verify", GROUP, "juniper")["verified"] is False

    told = wren.mesh("verify", GROUP, "juniper", "--compare", number, "--confirm")
    assert (told["safety_number"], told["compared"], told["verified"]) == (number, "number", True)
    wait_for(lambda: state(wren) == state(juniper), "both to have the same state", 20)
    assert juniper.mesh("verify", GROUP, "--compare", state(wren))["compared"] == "state"

    juniper.post(GROUP, "it is me")
    wren.sees(GROUP, "it is me")
    wren.down()
    (message,) = records(wren.mesh("read", GROUP), "messages")
    assert record(message, "author")["verified"] is True, "it is kept, and shown with the node down too"
    assert text(wren.mesh("verify", GROUP, "juniper"), "safety_number") == number


def state(person: Person) -> str:
    """Return the state hash that somebody's node shows."""
    return text(person.group(GROUP), "state_hash")
