"""What is taken as it was said, or not at all: how long an invite lasts, an agreement that says the same, names."""

import pytest

from mesh.errors import LocalError
from tests.node.local.test_methods import part, two


@pytest.mark.parametrize("seconds", [600, 5400])
def test_an_invite_is_not_made_to_last_longer_than_was_said(seconds: int) -> None:
    _, wren, _ = two()
    with pytest.raises(LocalError) as caught:
        wren.code(expires_s=seconds)
    assert "whole hours" in caught.value.what
    assert wren.list("invite.list", "invites") == []


def test_a_name_that_means_nothing_is_said_in_whole_english() -> None:
    _, wren, _ = two()
    with pytest.raises(LocalError) as caught:
        wren.call("invite.revoke", invite="nonsense")
    assert "a invite" not in f"{caught.value.what} {caught.value.why}"


def test_an_agreement_that_says_the_same_is_no_new_version() -> None:
    _, wren, _ = two()
    first = wren.call("group.agreement", action="edit", text="Be kind.")
    again = wren.call("group.agreement", action="edit", text="Be kind.\n")
    other = wren.call("group.agreement", action="edit", text="Be kinder.")
    assert [part(told, "agreement")["version"] for told in (first, again, other)] == [2, 2, 3]
    assert [told["changed"] for told in (first, again, other)] == [True, False, True]
