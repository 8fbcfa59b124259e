"""Circles: a question, one speaker at a time, in an order that all see; passing is always allowed.

Who joined before the start sits in the order that the start names; who comes later speaks after them. A turn ends when
its speaker has said something or passed, or is moved on: by the facilitator, by a moderator, or by anybody in the
circle once the soft timer is over. Who was moved on without a word keeps a slot at the end of the round; who is moved
on there has missed it. When all have had their turn there remain the closing words; without them a circle ends by
itself. The start of one who leads goes before that of any other: nobody takes a circle over by dating theirs back.

It is a fold: the words that count are played through seat by seat, each seat by what was said of *that* seat. So two
parts of a group that went on alone come to one state when they meet, and no turn is lost: a word that came while, as it
now looks, another spoke is its author's turn all the same, and is only shown as said out of turn. Of circles that were
open at the same time the one that most people joined stands, of equal ones the first.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum
from typing import Final, TypeAlias

from mesh.commands import Rank
from mesh.ids import MemberPk, PostId
from mesh.support.slots import ID_BYTES, is_own_slot, thing_id
from mesh.support.statements import Said, later, newest
from mesh.wire import limits
from mesh.wire.statements import CircleValue, Form, SeatValue, StartValue, TurnValue

_ABOUT_ONE: Final = (Form.SEAT, Form.START, Form.TURN, Form.MOVE, Form.CLOSING)
FORMS_OF_CIRCLES: Final = (Form.CIRCLE, *_ABOUT_ONE)
_Words: TypeAlias = dict[Form, list[Said]]
SLACK_MS: Final = 30_000  # a post this close to its author's turn was said in it: clocks differ; ours
OPENING_MS: Final = 2 * limits.CLOCK_AHEAD_MS_MAX  # one is stated so soon after it was made, whatever the clocks say
NEEDED: Final = 2  # nobody holds a circle alone: else one member could keep a group silent
KEY_PREFIX_BYTES: Final = 16  # by which a start names who sits in it
_SEAT_KEY_BYTES: Final = 14  # of a member key, in the subject of a move


class Phase(StrEnum):
    """How far a circle is; the names that programs are told."""

    OPEN = "open"  # people join
    RUNNING = "running"  # somebody speaks
    CLOSING = "closing"  # all have had their turn; closing words are awaited
    CLOSED = "closed"


class End(Enum):
    """How a turn ended."""

    SAID = "said"
    PASSED = "passed"
    AWAY = "away"  # moved on: there is a slot for them at the end of the round
    MISSED = "missed"  # moved on there, too


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A turn that has begun. `end` None: its member speaks now."""

    member: MemberPk
    round: int
    again: bool  # the slot at the end of the round
    begun_ms: int
    ended_ms: int | None = None
    end: End | None = None
    post: PostId | None = None
    early: bool = False  # said before it began, while another spoke

    def covers(self, ts_ms: int) -> bool:
        """Say whether something of this time was said in this turn."""
        return self.begun_ms - SLACK_MS <= ts_ms and (self.ended_ms is None or ts_ms <= self.ended_ms + SLACK_MS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle:
    """A circle as it stands; `id`: 16 B. `stands` False: another was open at the same time, and goes before it."""

    id: bytes
    opening: Said
    value: CircleValue
    phase: Phase
    order: tuple[MemberPk, ...]  # all who sit in it, as they speak
    turns: tuple[Turn, ...]
    away: tuple[MemberPk, ...]  # moved on in this round, with a slot to come
    to_come: tuple[MemberPk, ...]  # after who speaks now, in this round
    passed: frozenset[MemberPk]  # in this round, those who did so ahead of their turn among them
    spoke: frozenset[MemberPk]  # likewise
    joined: Mapping[MemberPk, bool]  # who ever joined, and whether they still take part
    posts: frozenset[tuple[MemberPk, PostId]]  # said in it, by those who sit in it
    started_ms: int | None
    finished_ms: int | None  # since when all have had their turn
    ends_ms: int  # when it ends by itself
    closing: Said | None
    stands: bool = True

    @property
    def opened_ms(self) -> int:
        """When it was opened."""
        return self.opening.ts_ms

    @property
    def over_ms(self) -> int:
        """When it is over, as far as that is known."""
        return self.ends_ms if self.closing is None else self.closing.ts_ms

    @property
    def speaking(self) -> Turn | None:
        """Whose turn it is."""
        return self.turns[-1] if self.phase is Phase.RUNNING else None

    @property
    def round(self) -> int:
        """Which round it is in, from 1."""
        return self.turns[-1].round if self.turns else 1

    @property
    def since_ms(self) -> int:
        """Since when it waits for what comes next: the start, the speaker, the closing words."""
        if self.started_ms is None:
            return self.opened_ms
        return self.turns[-1].begun_ms if self.phase is Phase.RUNNING else self.finished_ms or self.started_ms

    @property
    def moves_ms(self) -> int:
        """When the soft timer is over, and anybody in the circle may move it on."""
        return self.since_ms + self.value.turn_s * 1000

    def leads(self, member: MemberPk, rank: Rank) -> bool:
        """Say whether a member may move it on and close it at any time."""
        return member == self.opening.member or rank <= Rank.MODERATOR

    @property
    def missed(self) -> tuple[MemberPk, ...]:
        """Who was away at their slot at the end of this round, too."""
        return tuple(turn.member for turn in self.turns if turn.round == self.round and turn.end is End.MISSED)

    def takes_part(self, member: MemberPk) -> bool:
        """Say whether a member sits in it."""
        return self.joined.get(member, False)

    def is_out_of_turn(self, member: MemberPk, post: PostId, ts_ms: int, *, slack_ms: int = SLACK_MS) -> bool:
        """Say whether a post was said while another spoke. When the circle is over, none was.

        `slack_ms`: how long after the start one may not have heard of it.
        """
        if self.phase is Phase.CLOSED or self.started_ms is None:
            return False
        if (member, post) in self.posts:
            own = [turn for turn in self.turns if turn.member == member and turn.post == post]
            return not own or own[0].early
        begun = self.started_ms + slack_ms <= ts_ms
        over = self.finished_ms is not None and self.finished_ms - SLACK_MS <= ts_ms
        return begun and not over and not any(t.member == member and t.covers(ts_ms) for t in self.turns)


def seat(circle: bytes, turn: Turn) -> bytes:
    """Return the subject of a move past a turn: circle 16 B, round 1 B, again 1 B, member key's first 14 B."""
    return circle + bytes([turn.round, turn.again]) + turn.member[:_SEAT_KEY_BYTES]


def in_round(circle: bytes, number: int) -> bytes:
    """Return the subject of what a member says in a round: circle 16 B, round 1 B."""
    return circle + bytes([number])


# ---------------------------------------------------------------- the fold


def fold(said: Mapping[Form, Iterable[Said]], present: Container[MemberPk], wall_ms: int) -> list[Circle]:
    """Return the circles of a group, in the order in which they were opened; `present`: who is in the group."""
    openings: dict[bytes, Said] = {}
    here = newest(filter(_is_opening, said[Form.CIRCLE]), lambda word: word.subject)
    for word in sorted(here.values(), key=later):
        openings.setdefault(thing_id(Form.CIRCLE, word.member, word.value), word)
    words: dict[bytes, _Words] = {key: {form: [] for form in _ABOUT_ONE} for key in openings}
    for form in _ABOUT_ONE:
        for word in said[form]:
            if word.subject[:ID_BYTES] in words:
                words[word.subject[:ID_BYTES]][form].append(word)
    return _standing([_circle(key, word, words[key], present, wall_ms) for key, word in openings.items()])


def _is_opening(word: Said) -> bool:
    """Say whether a word opens a circle: it was said when it was made, so that nobody opens one anew and anew."""
    made_ms = word.value.made_ms if isinstance(word.value, CircleValue) else word.ts_ms + 1
    return is_own_slot(word) and 0 <= word.ts_ms - made_ms <= OPENING_MS


def _standing(circles: list[Circle]) -> list[Circle]:
    """Say which stand: of those that were open at one time the one that most joined, then the first."""
    taken: list[Circle] = []
    for one in sorted(circles, key=lambda circle: (-len(circle.joined), later(circle.opening))):
        if all(one.opened_ms >= other.over_ms or other.opened_ms >= one.over_ms for other in taken):
            taken.append(one)
    ids = {circle.id for circle in taken}
    return [circle if circle.id in ids else replace(circle, phase=Phase.CLOSED, stands=False) for circle in circles]


def current(circles: Iterable[Circle]) -> Circle | None:
    """Return the circle that is under way; else the last one that was."""
    standing = [circle for circle in circles if circle.stands]
    return next((circle for circle in standing if circle.phase is not Phase.CLOSED), standing[-1] if standing else None)


def _circle(key: bytes, opening: Said, words: _Words, present: Container[MemberPk], wall_ms: int) -> Circle:
    """Play one circle through."""
    value = opening.value
    assert isinstance(value, CircleValue)
    ends_ms = opening.ts_ms + value.lasts_s * 1000
    moves: dict[bytes, list[Said]] = {}
    for word in sorted(words[Form.MOVE], key=later):
        moves.setdefault(word.subject, []).append(word)
    table = _Table(key, opening, value, words, moves, present, _joined(opening, words[Form.SEAT]))
    closing = _closing(table, ends_ms)
    played = _played(table, ends_ms if closing is None else closing.ts_ms)
    if closing is not None or wall_ms >= ends_ms:
        phase = Phase.CLOSED
    elif played.started_ms is None:
        phase = Phase.OPEN
    else:
        phase = Phase.RUNNING if played.finished_ms is None else Phase.CLOSING
    number = played.turns[-1].round if played.turns else 1
    heard = {member: bool(_post(word)) for (member, place), word in played.spoken.items() if place == number}
    return Circle(
        id=key,
        opening=opening,
        value=value,
        phase=phase,
        order=(*played.seated, *played.late),
        turns=tuple(played.turns),
        away=tuple(played.still(played.away, number)),
        to_come=tuple(played.still(played.to_come, number)),
        passed=frozenset(member for member, said in heard.items() if not said),
        spoke=frozenset(member for member, said in heard.items() if said),
        joined={member: table.sits(member) for member in table.joined},
        posts=frozenset((member, PostId(_post(word))) for (member, _), word in played.spoken.items() if _post(word)),
        started_ms=played.started_ms,
        finished_ms=played.finished_ms,
        ends_ms=ends_ms,
        closing=closing,
    )


def _post(word: Said) -> bytes:
    """Return the post that a turn was used for; empty: passed."""
    return word.value.post if isinstance(word.value, TurnValue) else b""


def _joined(opening: Said, seats: Iterable[Said]) -> dict[MemberPk, tuple[Said, bool]]:
    """Return who ever joined, by which last word, and whether they still take part: the opener from the opening on."""
    found = {opening.member: (opening, True)}
    for member, word in newest(seats, lambda word: word.member).items():
        if isinstance(word.value, SeatValue):
            found[member] = word, word.value.holds
    return dict(sorted(found.items(), key=lambda entry: later(entry[1][0])))


@dataclass(frozen=True, slots=True)
class _Table:
    """A circle, and all that was said of it."""

    id: bytes
    opening: Said
    value: CircleValue
    words: _Words
    moves: dict[bytes, list[Said]]  # by the turn that they move on from, in order
    present: Container[MemberPk]
    joined: dict[MemberPk, tuple[Said, bool]]  # in the order in which they joined

    def sits(self, member: MemberPk) -> bool:
        """Say whether a member takes part, and is in the group."""
        return member in self.joined and self.joined[member][1] and member in self.present

    def leads(self, word: Said) -> bool:
        """Say whether a word is of one who leads the circle."""
        return word.member == self.opening.member or word.rank <= Rank.MODERATOR

    def may(self, word: Said, since_ms: int) -> bool:
        """Say whether a word moves on what has lasted since then: by who leads, or by others once the timer is over."""
        due = word.ts_ms >= since_ms + self.value.turn_s * 1000
        return self.leads(word) or (due and word.member in self.joined)

    def named(self, start: Said) -> list[MemberPk]:
        """Return whom a start names, of those who joined."""
        assert isinstance(start.value, StartValue)
        keys = {member[:KEY_PREFIX_BYTES]: member for member in self.joined}
        return [keys[prefix] for prefix in dict.fromkeys(start.value.order) if prefix in keys]


def _closing(table: _Table, ends_ms: int) -> Said | None:
    """Return the word that closed a circle, the first that could."""
    for word in sorted(table.words[Form.CLOSING], key=later):
        if word.ts_ms >= ends_ms:
            return None
        if table.leads(word):
            return word
        finished_ms = _played(table, word.ts_ms).finished_ms if word.member in table.joined else None
        if finished_ms is not None and table.may(word, finished_ms):
            return word
    return None


def _played(table: _Table, until_ms: int) -> "_Play":
    """Play a circle through, as far as what was said by then leads."""
    turns = (word for word in table.words[Form.TURN] if word.ts_ms <= until_ms and word.member in table.joined)
    spoken = {(who, about[-1]): word for (who, about), word in newest(turns, lambda w: (w.member, w.subject)).items()}
    play = _Play(table=table, until_ms=until_ms, spoken=spoken, clock_ms=table.opening.ts_ms)
    play.begin()
    return play


@dataclass(slots=True, kw_only=True)
class _Play:
    """How far a circle has come."""

    table: _Table
    until_ms: int
    spoken: dict[tuple[MemberPk, int], Said]  # by member and round
    clock_ms: int  # when the last turn ended
    started_ms: int | None = None
    finished_ms: int | None = None
    seated: list[MemberPk] = field(default_factory=list)
    late: list[MemberPk] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    away: list[MemberPk] = field(default_factory=list)
    to_come: list[MemberPk] = field(default_factory=list)

    def begin(self) -> None:
        """Let who joined sit down, and speak one after the other if it has started."""
        table, here = self.table, self._here()
        starts = (word for word in sorted(table.words[Form.START], key=later) if word.ts_ms <= self.until_ms)
        may = (word for word in starts if table.may(word, table.opening.ts_ms) and len(table.named(word)) >= NEEDED)
        start = min(may, key=lambda word: (not table.leads(word), later(word)), default=None)
        if start is None:
            self.seated = here[: limits.CIRCLE_SEATS_MAX]
            self.to_come = list(self.seated)
            return
        self.started_ms = self.clock_ms = max(start.ts_ms, self.clock_ms)
        named, rounds = table.named(start), table.value.rounds
        spoke = {member for member, _ in self.spoken}
        self.seated = [member for member in named if table.sits(member) or member in spoke]
        self.late = [member for member in here if member not in named][: limits.CIRCLE_SEATS_MAX - len(self.seated)]
        if all(self._go_round(self.seated, k) for k in range(1, rounds + 1)) and self._go_round(self.late, rounds):
            self.finished_ms = self.clock_ms

    def _here(self) -> list[MemberPk]:
        """Return who has joined by now, in that order, and takes part or has spoken."""
        spoke = {member for member, _ in self.spoken}
        by_then = [member for member, (word, _) in self.table.joined.items() if word.ts_ms <= self.until_ms]
        return [member for member in by_then if self.table.sits(member) or member in spoke]

    def _go_round(self, members: list[MemberPk], number: int) -> bool:
        """Have these speak in turn, those who were away at the end; return whether all have had their turn."""
        away: list[MemberPk] = []
        for again, queue in ((False, members), (True, away)):
            for place, member in enumerate(queue):
                turn = self._turn(member, number, again=again)
                if turn is None:
                    continue
                self.turns.append(turn)
                if turn.ended_ms is None:
                    rest = queue[place + 1 :]
                    self.away = rest if again else away
                    self.to_come = [] if again else rest
                    if members is self.seated and number == self.table.value.rounds:
                        self.to_come = [*self.to_come, *self.late]
                    return False
                if turn.end is End.AWAY:
                    away.append(member)
                self.clock_ms = turn.ended_ms
        return True

    def _turn(self, member: MemberPk, number: int, *, again: bool) -> Turn | None:
        """Return the turn that a member has now; None for one who takes part no more and has said nothing."""
        table = self.table
        begun_ms = self.clock_ms if member in self.seated else max(self.clock_ms, table.joined[member][0].ts_ms)
        turn = Turn(member=member, round=number, again=again, begun_ms=begun_ms)
        word, moved = self.spoken.get((member, number)), self._moved(turn)
        if word is not None and (moved is None or later(word) < later(moved)):
            post = PostId(_post(word))
            end, early = (End.SAID, word.ts_ms < begun_ms) if post else (End.PASSED, False)
            ended_ms = max(begun_ms, word.ts_ms)
            return replace(turn, ended_ms=ended_ms, end=end, post=post or None, early=early)
        if moved is not None:
            return replace(turn, ended_ms=max(begun_ms, moved.ts_ms), end=End.MISSED if again else End.AWAY)
        return turn if table.sits(member) else None

    def _moved(self, turn: Turn) -> Said | None:
        """Return the first word that moved on from a turn."""
        found = self.table.moves.get(seat(self.table.id, turn), [])
        may = (word for word in found if word.ts_ms <= self.until_ms and self.table.may(word, turn.begun_ms))
        return next(may, None)

    def still(self, members: Iterable[MemberPk], number: int) -> Iterable[MemberPk]:
        """Give those of these who have not spoken or passed in the round, and still take part."""
        said = {who for who, place in self.spoken if place == number}
        return (member for member in members if self.table.sits(member) and member not in said)
