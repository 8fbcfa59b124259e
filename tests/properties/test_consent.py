"""No export holds a post without its author's consent, whatever is granted, taken back, cut off or forgotten.

Three peers say things, some behind a warning, quote each other, let what they said leave for all or for one who asks,
take that back, withdraw what they said, let it run out, and leave, with or without a trace, while the network is cut
and healed and a changed program forges consents. At any time an honest export holds, in no string at whatever depth,
words that their author has never let leave; and when all hear all again, exactly the posts that they let leave now:
none of those who left. What stands behind a warning stands under `opened` alone.

It can fail: with `_may_leave` of `mesh.node.local.methods.export` always true it does at once; so it does where
`_quote` gives the words that a post quotes whoever said them, and where a consent outlives its author's membership.
"""

from collections.abc import Iterator
from contextlib import suppress

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from mesh.errors import LocalError
from mesh.events import Space
from mesh.node.local.protocol import JsonValue
from mesh.wire.codec import encode
from mesh.wire.messages import Kind, StatementBody
from mesh.wire.statements import ConsentValue, Form
from tests.node.local.test_messages import GROUP, call
from tests.node.local.test_methods import WorldDesk
from tests.peer.forgery import Forger
from tests.properties.circles import NAMES, five, some

who = st.integers(0, 2)
which = st.integers(0, 5)
HEALED_S = 90


class Consent(RuleBasedStateMachine):
    """Three who speak (all five hear), and who let what leave by whose hand."""

    @initialize(seed=st.integers(0, 50))
    def begin(self, seed: int) -> None:
        self.world, self.gid, self.people = five(seed)
        self.desks = [WorldDesk(self.world, name) for name in NAMES[:3]]
        self.said: list[tuple[int, str, str]] = []  # who, post id, text
        self.now: dict[str, set[int]] = {}  # text -> by whose hand it may leave, as its author has it
        self.ever: dict[str, set[int]] = {}
        self.gone: set[str] = set()
        self.expiring: set[str] = set()
        self.warned: set[str] = set()
        self.left: set[int] = set()
        self.says(0, may_leave=False, expires=False, warns=False, quoted=None)
        self.says(1, may_leave=True, expires=False, warns=True, quoted=0)
        self.says(2, may_leave=True, expires=False, warns=False, quoted=0)
        self.world.run(5)

    def ask(self, one: int, method: str, **params: JsonValue) -> bool:
        """Ask for something; say whether it was done."""
        try:
            call(self.desks[one], method, **params)
        except LocalError:
            return False
        return True

    @rule(one=who, may_leave=st.booleans(), expires=st.booleans(), warns=st.booleans(), quoted=which | st.none())
    def says(self, one: int, may_leave: bool, expires: bool, warns: bool, quoted: int | None) -> None:
        text = f"post number {len(self.said):02}."
        params: dict[str, JsonValue] = {"group": GROUP, "text": text, "may_leave": may_leave, "wait_s": 0.0}
        params |= {"cw": "loss" if warns else "", "expires_s": 60 if expires else None}
        if quoted is not None and quoted < len(self.said):
            params["quote"] = self.said[quoted][1]
        try:
            told = call(self.desks[one], "post", **params)["message"]
        except LocalError:
            return  # one is out, or what is quoted is not here
        assert isinstance(told, dict)
        self.said.append((one, str(told["id"]), text))
        self.now[text] = {0, 1, 2} if may_leave else set()
        self.ever[text] = set(self.now[text])
        self.expiring |= {text} if expires else set()
        self.warned |= {text} if warns else set()

    @precondition(lambda self: len(self.left) < 2)
    @rule(one=st.integers(1, 2), wipe=st.booleans())
    def leaves(self, one: int, wipe: bool) -> None:
        if one not in self.left:
            self.people[one].leave(self.gid, wipe=wipe)
            self.left.add(one)

    @rule(post=which)
    def lets_it_leave(self, post: int) -> None:
        if post < len(self.said):
            one, name, text = self.said[post]
            if self.ask(one, "share.grant", message=name, to="all", wait_s=0.0):
                self.now[text] = {0, 1, 2}
                self.ever[text] = {0, 1, 2}

    @rule(post=which, other=who)
    def asks(self, post: int, other: int) -> None:
        if post < len(self.said):
            self.ask(other, "share.ask", message=self.said[post][1], wait_s=0.0)

    @rule(post=which, other=who)
    def lets_one_take_it(self, post: int, other: int) -> None:
        if post < len(self.said):
            one, name, text = self.said[post]
            if self.ask(one, "share.grant", message=name, to=NAMES[other], wait_s=0.0):
                self.now[text].add(other)
                self.ever[text].add(other)

    @rule(post=which)
    def takes_the_consent_back(self, post: int) -> None:
        if post < len(self.said):
            one, name, text = self.said[post]
            if self.ask(one, "share.withdraw", message=name, wait_s=0.0):
                self.now[text] = set()

    @rule(post=which)
    def takes_the_post_back(self, post: int) -> None:
        if post < len(self.said):
            one, name, text = self.said[post]
            if self.ask(one, "message.withdraw", message=name, wait_s=0.0):
                self.gone.add(text)

    @rule(post=which, victim=who)
    def a_changed_program_forges_one(self, post: int, victim: int) -> None:
        if post >= len(self.said):
            return
        name = bytes.fromhex(self.said[post][1])
        value = encode(ConsentValue(words=bytes(32), everyone=True, to=[]))
        body = encode(StatementBody(form=Form.CONSENT, subject=name, lasts_s=0, value=value))
        alder = self.people[4]
        with suppress(AssertionError):  # no frames pass a cut
            ts_ms = self.world.instant(alder.node).wall_ms
            forger = Forger(alder, self.gid)
            forger.hands(self.people[victim], forger.message(Kind.STATEMENT, body, ts_ms=ts_ms))

    @rule(side=st.sets(who, min_size=1, max_size=2))
    def parts(self, side: set[int]) -> None:
        there = tuple(name for k, name in enumerate(NAMES) if k not in side)
        self.world.partition(tuple(NAMES[k] for k in sorted(side)), there)

    @rule()
    def heals(self) -> None:
        self.world.heal()

    @rule(seconds=st.sampled_from((0.05, 1.0, 5.0, 40.0)))
    def time_passes(self, seconds: float) -> None:
        self.world.run(seconds)

    def exported(self, one: int) -> list[JsonValue]:
        """What leaves by one's hand; nothing of a group that was wiped here."""
        try:
            found = call(self.desks[one], "export", group=GROUP)["posts"]
        except LocalError:
            assert one in self.left
            return []
        assert isinstance(found, list)
        return found

    @invariant()
    def nothing_leaves_without_a_word_of_its_author(self) -> None:
        for one in range(3) if hasattr(self, "desks") else ():
            strings = list(all_strings(self.exported(one)))
            for author, _, text in self.said:
                if any(text in string for string in strings):
                    assert author == one or one in self.ever[text], f"{NAMES[one]} takes {text} along"

    def teardown(self) -> None:
        if not hasattr(self, "desks"):
            return  # it never began
        self.world.heal()
        self.world.run(HEALED_S)
        self.all_is_as_its_authors_let_it()
        self.leaves(1, wipe=False)
        self.world.run(HEALED_S)
        self.all_is_as_its_authors_let_it()
        assert self.people[0].node.store.count(Space.STATEMENTS, self.gid) <= 6 * 2 + len(self.said)

    def all_is_as_its_authors_let_it(self) -> None:
        """When all have heard all: each takes out just that."""
        self.nothing_leaves_without_a_word_of_its_author()
        for one in {0, 1, 2} - self.left:
            theirs = {
                text for author, _, text in self.said if author not in {one, *self.left} and one in self.now[text]
            }
            own = {text for author, _, text in self.said if author == one}
            posts = [post for post in self.exported(one) if isinstance(post, dict)]
            assert {str(post["text"] or post["opened"]) for post in posts} == (own | theirs) - self.gone - self.expiring
            assert not {str(post["text"]) for post in posts} & self.warned


def all_strings(value: JsonValue) -> Iterator[str]:
    """Give each string in a value, and in what it holds, at any depth: names of fields too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield name
            yield from all_strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from all_strings(part)


def test_no_export_holds_a_post_without_its_authors_consent() -> None:
    run_state_machine_as_test(Consent, settings=settings(stateful_step_count=25, max_examples=some()))
