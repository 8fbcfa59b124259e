"""A phrase puts values in their places, once, and what stands in a value is never a template."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli import fields
from cli.output import Output
from mesh.errors import Fault, LocalError, RemoteError
from mesh.node.local.protocol import (
    PHRASE_DEPTH_MAX,
    BadLine,
    Failure,
    JsonObject,
    JsonValue,
    decode_answer,
    encode_answer,
    phrased,
)
from mesh.phrases import Phrase, filled, own, phrase, plural, verbatim

HOSTILE = ("{group}", "{0}", "{", "}", "{{", "{name.__class__}", "{name!r:>99999999}", "%s", "\\1", "\\g<0>", "")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(HOSTILE)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_value_is_put_in_as_it_is(name: str) -> None:
    assert str(phrase("{name} is not in “{group}”", name=name, group="grief")) == f"{name} is not in “grief”"


@given(TEXT, TEXT)
def test_no_value_is_read_as_a_template(name: str, group: str) -> None:
    assert str(phrase("“{name}”, “{group}”", name=name, group=group)) == f"“{name}”, “{group}”"
    assert str(verbatim(name)) == name
    assert LocalError(verbatim(name)).what == name


def test_a_place_without_a_value_stays_and_shows_the_slip() -> None:
    assert filled("no {thing} “{name}”", {"name": "wren"}) == "no {thing} “wren”"


@pytest.mark.parametrize(("count", "said"), [(0, "0 words"), (1, "1 word"), (2, "2 words")])
def test_one_and_many(count: int, said: str) -> None:
    assert str(plural("{count} word", "{count} words", count=count)) == said


def test_a_phrase_stands_in_a_phrase() -> None:
    thing = own("group's name")
    assert str(phrase("the {thing} {fault}", thing=thing, fault=own("holds a control character"))) == (
        "the group's name holds a control character"
    )


def test_an_error_keeps_its_phrases_and_says_them_in_english() -> None:
    error = LocalError(phrase("no group is called {name}", name="{do}"), do="look at `mesh group list`")
    assert (error.what, error.why, error.do) == ("no group is called {do}", "", "look at `mesh group list`")
    assert str(error) == error.what
    assert error.phrases.what.template == "no group is called {name}"
    assert error.phrases.why == Phrase("")


def test_what_a_peer_did_is_handed_on_as_it_is() -> None:
    assert verbatim(str(RemoteError(Fault.MALFORMED, "a {text}"))) == Phrase("{text}", {"text": "a {text}"})


# ---------------------------------------------------------------- over the local Api


VALUES = st.recursive(
    TEXT | st.integers(-(2**53), 2**53),
    lambda inner: st.builds(Phrase, TEXT, st.dictionaries(st.sampled_from(["name", "group"]), inner, max_size=2)),
    max_leaves=3,
)


@given(TEXT, VALUES, st.sampled_from(["", "many {count}"]))
def test_a_phrase_comes_over_as_it_was_said(template: str, value: Phrase | str | int, many: str) -> None:
    said = Phrase(template, {"count": 2, "name": value}, many)
    answer = decode_answer(encode_answer(Failure(id=1, error=LocalError("no", why=said)))[:-1])
    assert isinstance(answer, Failure)
    assert str(answer.error.phrases.why) == answer.error.why == str(said)
    assert (answer.error.phrases.why.template, answer.error.phrases.why.many) == (template, many)


def line(phrases: JsonValue, what: str = "no wren") -> bytes:
    data = {"code": "E-USAGE", "what": what, "why": "", "do": "", "exit": 2, "candidates": [], "phrases": phrases}
    error = {"code": -32000, "message": what, "data": data}
    return json.dumps({"jsonrpc": "2.0", "id": 1, "error": error}).encode()


def deep(levels: int) -> JsonValue:
    inner: JsonValue = "wren"
    for _ in range(levels):
        inner = {"template": "{name}", "values": {"name": inner}}
    return inner


WRONG: dict[str, JsonValue] = {
    "not an object": [],
    "a text": {"what": "no {name}"},
    "no values": {"what": {"template": "no {name}"}},
    "no template": {"what": {"values": {"name": "wren"}}},
    "a list as value": {"what": {"template": "no {name}", "values": {"name": ["wren"]}}},
    "true as value": {"what": {"template": "no {name}", "values": {"name": True}}},
    "nothing as value": {"what": {"template": "no {name}", "values": {"name": None}}},
    "something beside": {"what": {"template": "no {name}", "values": {"name": "wren"}, "language": "de"}},
    "another text": {"what": {"template": "all is well, {name}", "values": {"name": "wren"}}},
    "too many values": {"what": {"template": "no wren", "values": {f"n{at}": 1 for at in range(17)}}},
    "too deep": {"what": {"template": "no {name}", "values": {"name": deep(PHRASE_DEPTH_MAX)}}},
}


@pytest.mark.parametrize("phrases", WRONG.values(), ids=WRONG.keys())
def test_what_is_no_phrase_of_the_text_is_refused(phrases: JsonValue) -> None:
    with pytest.raises(Exception, match="does not speak the local Api") as caught:
        decode_answer(line(phrases))
    assert getattr(caught.value, "code", "") == BadLine.code


def test_the_deepest_that_is_read() -> None:
    answer = decode_answer(line({"what": {"template": "no {name}", "values": {"name": deep(PHRASE_DEPTH_MAX - 1)}}}))
    assert isinstance(answer, Failure)
    assert answer.error.what == "no wren"


# ---------------------------------------------------------------- beside results


def test_a_result_says_it_in_english_and_beside_it_as_a_phrase() -> None:
    told = phrased(what=phrase("no {name}", name="{name}"), why=None, do="Look.")
    assert (told["what"], told["why"], told["do"]) == ("no {name}", None, "Look.")
    assert fields.phrase_of(told, "what") == phrase("no {name}", name="{name}")
    assert fields.phrase_of(told, "do") == phrase("Look.")
    assert fields.said(told, "why") == ""


@pytest.mark.parametrize("phrases", [None, {}, {"why": {"template": "another", "values": {}}}])
def test_what_no_phrase_says_is_shown_as_it_is(phrases: JsonValue) -> None:
    told: JsonObject = {"why": "the {name}", "phrases": phrases}
    assert fields.phrase_of(told, "why") == verbatim("the {name}")


@pytest.mark.parametrize("wrong", ["the {name}", {"template": 3, "values": {}}, {"template": "x"}])
def test_what_is_no_phrase_beside_a_result_is_refused(wrong: JsonValue) -> None:
    with pytest.raises(BadLine):
        fields.said({"why": "x", "phrases": {"why": wrong}}, "why")


def test_a_script_gets_the_english_alone(capsys: pytest.CaptureFixture[str]) -> None:
    Output(json=True).result({"problems": [phrased(what="It is so.")], "phrases": {}})
    assert json.loads(capsys.readouterr().out) == {"schema": 1, "problems": [{"what": "It is so."}]}
