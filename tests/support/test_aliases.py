"""Which aliases a person may take for one another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.support.aliases import any_like, folded, look_alike


@pytest.mark.parametrize(
    "other",
    [
        "wren",
        "Wren",
        "WREN",
        " wren ",
        "w-r.e n",
        "ｗｒｅｎ",  # full width
        "wrеn",  # a Cyrillic е
        "vvren",
        "wr3n",
        "wrén",
        "wre\u200bn",
        "wren\u200d",
        "wr\u2063en",  # an invisible separator
        "wren\ufe0f",  # a variation selector
        "wr\u034fen",  # a grapheme joiner
        "wren\u3164",  # a Hangul filler, which is a letter and shows nothing
        "wr\u00aden",  # a soft hyphen
        "ωren",  # a Greek ω
        "ԝrеո",  # Cyrillic, Cyrillic, Armenian
        "𝐰𝐫𝐞𝐧",  # mathematical bold
        "ⓦⓡⓔⓝ",  # circled
        "WRΕΝ",  # Greek capitals at the end
        "wren (4a1f09)",
        "wren (4a1f09…)",
    ],
)
def test_these_may_be_taken_for_wren(other: str) -> None:
    assert look_alike("wren", other)


@pytest.mark.parametrize(("one", "other"), [("0l1ver", "Oliver"), ("ma1a", "maia"), ("tarn", "tam"), ("Bill", "BiII")])
def test_what_looks_alike_is_alike(one: str, other: str) -> None:
    assert look_alike(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("wren", "wrenna"), ("juniper", "jupiter"), ("कमल", "कमला"), ("木", "林"), ("…", "?"), ("wren", "(4a1f09)")],
)
def test_these_are_told_apart(one: str, other: str) -> None:
    assert not look_alike(one, other)


def test_one_among_many_is_found() -> None:
    assert any_like("Wren", ["juniper", "wren"])
    assert not any_like("wren", ["juniper", "tansy"])
    assert not any_like("wren", [])


@pytest.mark.property
@given(st.text(max_size=40))
def test_nothing_folds_to_nothing_and_each_is_like_itself(alias: str) -> None:
    assert bool(folded(alias)) == bool(alias)
    assert any_like(alias, [alias])
