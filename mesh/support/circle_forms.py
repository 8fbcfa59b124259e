"""What is said of circles: the words of each form, as an honest program composes and takes them."""

from collections.abc import Sequence
from typing import Final

from mesh.commands import Rank
from mesh.errors import Fault, LocalError, RemoteError
from mesh.ids import MemberPk
from mesh.phrases import phrase
from mesh.support.circles import KEY_PREFIX_BYTES
from mesh.support.slots import ID_BYTES, check_slot, check_thing
from mesh.support.statements import Rules, whole
from mesh.wire import limits
from mesh.wire.codec import Record
from mesh.wire.statements import (
    CircleValue,
    ClosingValue,
    Form,
    MoveValue,
    SeatValue,
    StartValue,
    TurnValue,
)
from mesh.wire.text import check_text, require_text

TURN_S: Final = 600  # soft; ours, as the next
LASTS_S: Final = 86_400
KEPT_S: Final = 30 * 86_400  # so long after it is over `read` still says what was said in it; ours
_MOVE_SUBJECT_BYTES: Final = 32


def compose(*, made_ms: int, question: str, turn_s: int, rounds: int, lasts_s: int) -> CircleValue:
    """Return a circle as its facilitator typed it; LocalError in words for what cannot be opened."""
    if not limits.CIRCLE_TURN_S_MIN <= turn_s <= limits.CIRCLE_TURN_S_MAX:
        raise LocalError("a turn lasts between a minute and a day", do="write it like 5m or 2h", code="E-USAGE")
    if not 1 <= rounds <= limits.CIRCLE_ROUNDS_MAX:
        raise LocalError(
            phrase("a circle goes round 1 to {most} times", most=limits.CIRCLE_ROUNDS_MAX),
            do="name fewer",
            code="E-USAGE",
        )
    if not limits.CIRCLE_LASTS_S_MIN <= lasts_s <= limits.CIRCLE_LASTS_S_MAX:
        raise LocalError(
            "a circle lasts between ten minutes and seven days", do="write it like 3h or 2d", code="E-USAGE"
        )
    return CircleValue(
        made_ms=made_ms,
        question=require_text("question", question, limits.CIRCLE_QUESTION_BYTES_MAX),
        turn_s=turn_s,
        rounds=rounds,
        lasts_s=lasts_s,
    )


def compose_start(order: Sequence[MemberPk]) -> StartValue:
    """Return the word that begins a circle, with who speaks when."""
    return StartValue(order=[member[:KEY_PREFIX_BYTES] for member in order])


def compose_closing(text: str) -> ClosingValue:
    """Return closing words; LocalError for a text that cannot be sent."""
    words = require_text("closing words", text, limits.CIRCLE_CLOSING_BYTES_MAX, lines=True, empty=True)
    return ClosingValue(text=words)


def check_circle(subject: bytes, value: Record) -> None:
    """RemoteError unless this is a question that may be shown, in a slot of a device."""
    check_slot(subject, limits.CIRCLES_MAX)
    assert isinstance(value, CircleValue)
    check_text(value.question, limits.CIRCLE_QUESTION_BYTES_MAX)


def check_turn(subject: bytes, value: Record) -> None:
    """RemoteError unless it is about a round of a circle, and names a post or none."""
    assert isinstance(value, TurnValue)
    rounds = range(1, limits.CIRCLE_ROUNDS_MAX + 1)
    if len(subject) != ID_BYTES + 1 or subject[-1] not in rounds or len(value.post) not in (0, 16):
        raise RemoteError(Fault.MALFORMED, "a turn in no round of a circle")


def check_move(subject: bytes, value: Record) -> None:
    """RemoteError unless it is about one turn in a circle."""
    del value
    if len(subject) != _MOVE_SUBJECT_BYTES:
        raise RemoteError(Fault.MALFORMED, "a move past no turn")


def check_closing(subject: bytes, value: Record) -> None:
    """RemoteError unless it is about a circle and holds what may be shown."""
    check_thing(subject, value)
    assert isinstance(value, ClosingValue)
    check_text(value.text, limits.CIRCLE_CLOSING_BYTES_MAX, lines=True)


def without_words(value: Record) -> Record:
    """Return what is left of closing words when their author left without a trace: that the circle is closed."""
    assert isinstance(value, ClosingValue)
    return ClosingValue(text="")


CIRCLES: Final = Rules(
    form=Form.CIRCLE,
    value=CircleValue,
    check=check_circle,
    deed="open a circle",
    least=Rank.MEMBER,
    only_in=False,
    newest=limits.CIRCLES_MAX,
    standing=True,
    fades=True,
    speaks=True,
)
SEATS: Final = Rules(
    form=Form.SEAT,
    value=SeatValue,
    check=check_thing,
    deed="join a circle",
    least=Rank.NEWCOMER,
    only_in=False,
    newest=16,
    standing=True,
    fades=True,
)
STARTS: Final = Rules(
    form=Form.START,
    value=StartValue,
    check=check_thing,
    deed="start a circle",
    least=Rank.NEWCOMER,
    only_in=False,
    newest=16,
    standing=True,
    fades=True,
    stays=whole,
)
TURNS: Final = Rules(
    form=Form.TURN,
    value=TurnValue,
    check=check_turn,
    deed="speak in a circle",
    least=Rank.NEWCOMER,
    only_in=False,
    newest=64,
    standing=True,
    fades=True,
)
MOVES: Final = Rules(
    form=Form.MOVE,
    value=MoveValue,
    check=check_move,
    deed="move a circle on",
    least=Rank.NEWCOMER,
    only_in=False,
    newest=256,  # past each seat of the largest circle in each round
    standing=True,
    fades=True,
    stays=whole,
)
CLOSINGS: Final = Rules(
    form=Form.CLOSING,
    value=ClosingValue,
    check=check_closing,
    deed="close a circle",
    least=Rank.NEWCOMER,
    only_in=False,
    newest=16,
    standing=True,
    fades=True,
    speaks=True,
    stays=without_words,
)
RULES: Final = (CIRCLES, SEATS, STARTS, TURNS, MOVES, CLOSINGS)
