"""The one Api of a home, and how to reach it: over the socket if a node answers there, else in this process.

Every answer is a JSON object with exactly the keys that `mesh --json` prints, so that a script on the socket
and a script on the command read the same. `METHODS` is the whole list; names of groups, members and messages
are resolved behind it, so each parameter takes what a person would type.

What it leaves out on purpose: the meaning of the methods (`mesh.node.local.methods`) and their bytes on the
socket (`mesh.node.local.protocol`). It is imported by every command, so it imports nothing heavy.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from mesh.errors import LocalError, MeshError
from mesh.node.local.client import connect
from mesh.node.local.protocol import JsonObject
from mesh.phrases import phrase

Passphrase: TypeAlias = Callable[[], str]

# Each method with its parameters; `?` marks one that may be null or left out.
METHODS: Final[Mapping[str, tuple[str, ...]]] = {
    "api.methods": (),
    "appeal": ("group", "note?", "wait_s"),
    "check": ("method", "asked"),
    "circle.close": ("group", "words?", "wait_s"),
    "circle.join": ("group", "leave?", "wait_s"),
    "circle.next": ("group", "wait_s"),
    "circle.open": ("group", "question", "turn_s?", "rounds?", "lasts_s?", "wait_s"),
    "circle.pass": ("group", "wait_s"),
    "circle.say": ("group", "text", "mode?", "cw?", "topics?", "wait_s"),
    "circle.show": ("group",),
    "device.add": ("name?", "this?", "passphrase"),
    "device.join": ("code", "wait_s", "passphrase"),
    "device.list": (),
    "device.remove": ("device", "passphrase"),
    "device.remove.check": ("device",),
    "events": (),
    "export": ("group", "since?", "after?"),
    "file.fetch": ("message", "wait_s"),
    "file.offer": ("group", "files"),
    "file.piece": ("upload", "data"),
    "file.read": ("message", "file"),
    "flag": ("message", "withdraw", "wait_s"),
    "group.agreement": ("group", "action", "text?", "hash?", "wait_s?"),
    "group.confirm": ("group",),
    "group.create": (
        "name",
        "about",
        "topics",
        "agreement",
        "alias?",
        "history",
        "keep?",
        "suite",
        "lock_mode?",
        "approvals?",
        "passphrase",
    ),
    "group.fork": ("group", "name?", "without", "alias?", "passphrase"),
    "group.fork.again": ("group", "successor", "without"),
    "group.fork.decline": ("group", "fork"),
    "group.fork.follow": ("group", "fork"),
    "group.hold": ("group", "member", "release"),
    "group.leave": ("group", "wipe", "now?", "passphrase"),
    "group.leave.check": ("group", "wipe"),
    "group.list": (),
    "group.members": ("group",),
    "group.pin": ("group", "message", "remove", "wait_s"),
    "group.proof": ("group", "member"),
    "group.rank": ("group", "member", "rank"),
    "group.rekey": ("group",),
    "group.remove": ("group", "member", "reason"),
    "group.remove.check": ("group", "member"),
    "group.set": ("group", "key", "value"),
    "group.show": ("group",),
    "id.passphrase": ("passphrase", "new_passphrase"),
    "id.show": (),
    "introduce.answer": ("question", "invite?", "text?", "wait_s"),
    "introduce.ask": ("group", "member", "text", "wait_s"),
    "introduce.list": ("group?",),
    "invite.list": ("group",),
    "invite.new": ("group", "uses", "expires_s", "approvals?", "note"),
    "invite.revoke": ("group", "invite"),
    "join.agree": ("join", "alias?", "agreement_version", "passphrase"),
    "join.drop": ("join",),
    "join.list": (),
    "join.start": ("code",),
    "join.wait": ("join", "wait_s", "until"),
    "keeper.add": ("group", "ticket"),
    "keeper.list": ("group",),
    "keeper.off": (),
    "keeper.on": ("quota?", "days?"),
    "keeper.remove": ("group", "keeper"),
    "keeper.status": (),
    "keeper.ticket": ("quota?", "note"),
    "knocks.admit": ("group", "knock"),
    "knocks.decline": ("group", "knock"),
    "knocks.list": ("group?",),
    "listen.accept": ("talk", "direct?", "wait_s", "passphrase"),
    "listen.ask": ("group", "topic?", "mode?", "minutes?", "direct?", "passphrase"),
    "listen.check": ("group", "topic?"),
    "listen.end": ("talk?", "wait_s"),
    "listen.list": ("group?",),
    "listen.offer": ("group", "topics?", "hours?", "days?", "wait_s"),
    "listen.withdraw": ("group", "wait_s"),
    "log": ("group",),
    "meeting.remind": ("group", "before_s"),
    "meeting.set": ("group", "day?", "time?", "zone?", "note?", "none?", "wait_s"),
    "meeting.show": ("group",),
    "message.show": ("message",),
    "message.withdraw": ("message", "wait_s"),
    "milestone.add": ("group", "text", "since?", "count?", "invite?", "wait_s"),
    "milestone.congratulate": ("milestone", "text?", "withdraw?", "wait_s"),
    "milestone.list": ("group",),
    "milestone.reset": ("milestone", "wait_s"),
    "node.health": (),
    "node.stop": (),
    "outbox": (),
    "own.hide": ("message", "undo"),
    "own.list": (),
    "own.pace": ("paused?", "until?", "quiet?", "digest?", "cap?"),
    "own.person": ("group", "member", "blocked?", "muted?", "clear?"),
    "own.words": ("add_words?", "remove_words?", "clear_words?", "add_topics?", "remove_topics?", "clear_topics?"),
    "post": (
        "group",
        "text",
        "mode?",
        "cw",
        "topics",
        "reply_to?",
        "confirm_advice?",
        "quote?",
        "no_history?",
        "may_leave?",
        "expires_s?",
        "files?",
        "wait_s",
    ),
    "read": ("group", "since?", "before?", "limit", "unread", "open?"),
    "read.follow": ("group",),
    "reflect.add": ("text", "about?"),
    "reflect.delete": ("note",),
    "reflect.list": ("limit?",),
    "report": ("message", "with?", "note?", "to?", "wait_s"),
    "report.check": ("message", "with?", "note?"),
    "reports.answer": ("report", "text?", "wait_s"),
    "reports.list": ("group?", "before?", "limit?"),
    "reports.show": ("report", "open?"),
    "reports.withdraw": ("report", "wait_s"),
    "sanction": ("group", "member", "step", "reason?", "for_s?", "message?", "wait_s"),
    "share.ask": ("message", "purpose?", "wait_s"),
    "share.grant": ("message", "to?", "wait_s"),
    "share.list": (),
    "share.refuse": ("message", "to?"),
    "share.withdraw": ("message", "wait_s"),
    "shelf.add": ("group", "title", "text?", "link?", "note?", "language?", "review_by?", "wait_s"),
    "shelf.helped": ("resource", "withdraw", "wait_s"),
    "shelf.list": ("group",),
    "shelf.retire": ("resource", "wait_s"),
    "shelf.show": ("resource",),
    "status": (),
    "steward.duty": ("group", "on", "until?", "wait_s"),
    "steward.handover": ("group", "member", "check", "passphrase?", "wait_s"),
    "steward.term": ("group", "days?", "renew?", "end?", "passphrase?", "wait_s"),
    "stewards.list": ("group",),
    "stewards.open": ("group", "passphrase?"),
    "stewards.room": ("group",),
    "talk.accept": ("group", "member", "alias?", "passphrase"),
    "talk.check": ("group", "member"),
    "talk.decline": ("group", "member"),
    "talk.list": ("group?",),
    "talk.offer": ("group", "member", "alias?", "passphrase"),
    "verify": ("group", "member?", "confirm", "compare?"),
}
# These answer with events: `file.read` until the file is at its end, the others until the node stops or the asker hangs
# up. All other methods answer once.
STREAMS: Final = frozenset({"events", "file.read", "read.follow"})


class Api(Protocol):
    """What one may ask of a home. Both bodies raise the same `MeshError`s, code and exit status included."""

    def call(self, method: str, params: JsonObject) -> JsonObject:
        """Ask once, and wait for the answer."""

    def stream(self, method: str, params: JsonObject) -> Iterator[JsonObject]:
        """Ask for a stream: it is asked for at once, and its events come as they happen."""

    def close(self) -> None:
        """Let go of the socket, or of the home's lock."""


def unknown_method(method: str) -> LocalError:
    """Make the error that both bodies answer to a method that is not in `METHODS`."""
    return LocalError(
        phrase("There is no method {method} in the local Api.", method=repr(method[:80])),
        do="`mesh api` lists the methods.",
        code="E-METHOD",
    )


def open_api(home: Path, passphrase: Passphrase) -> Api:
    """Reach the node of `home`, or open the home in this process; only then is `passphrase` called.

    A socket that nobody listens on counts as a node that is down. A node that is just starting holds the
    home's lock before it answers: if the home cannot be opened, the socket is tried once more.
    """
    node = connect(home)
    if node is not None:
        return node
    from mesh.node.local.inprocess import InProcessApi

    try:
        return InProcessApi(home, passphrase)
    except MeshError:
        node = connect(home)
        if node is None:
            raise
        return node


def reach_node(home: Path) -> Api | None:
    """Reach the node of `home`, or say with None that none runs."""
    return connect(home)
