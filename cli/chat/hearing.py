"""What comes while a conversation goes on: others' words, how far one's own have come, news of other groups."""

from typing import TYPE_CHECKING, Final

from cli import fields
from cli.chat.spoken import sent_line
from cli.event_lines import event_line
from cli.output import one_line
from cli.pace import SILENT, digest_line
from cli.words import tell, to_tell
from mesh.errors import MeshError
from mesh.node.local.api import Api
from mesh.node.local.protocol import JsonObject

if TYPE_CHECKING:
    from cli.chat.conversation import Conversation

AT_ONCE_MAX: Final = 50  # messages that are told in one go
DOWN: Final = to_tell("Your node is not running. You can read, and what you post waits here. /up --detach starts it.")
STOPPED: Final = to_tell("Your node has stopped. You can go on; what you post waits here until it runs again.")
BACK: Final = to_tell("Your node runs again.")
# Events that concern a person wherever they are. Their pace is kept by the node, which does not tell what one paused.
_TOLD: Final = frozenset({"knock", "talk", "listen", "join", "fork", "turn"})


class Hearing:
    """Hands what comes to the screen. Its methods run in the listener's thread."""

    def __init__(self, chat: "Conversation") -> None:
        self._chat = chat
        self._up: bool | None = None
        self._mentioned: set[str] = set()  # other groups of which it was said that something is new
        self._states: dict[str, tuple[str, bool]] = {}  # how far own messages were said to have come
        self._waiting: set[str] = set()  # own messages that nobody had taken when they were said

    def begin(self, *, node_up: bool) -> None:
        """Say at the beginning if no node runs; nothing new can come then."""
        if self._up is None and not node_up:
            self._up = False
            self._say({"event": "node", "running": False}, tell(DOWN))

    def changed(self, up: bool) -> None:
        """The node began to answer, or ended: said once each time."""
        before, self._up = self._up, up
        if before is not None and before is not up:
            self._say({"event": "node", "running": up}, tell(BACK) if up else tell(STOPPED))

    def entered(self, gid: str) -> None:
        """The person came into a group: news of it count as told."""
        self._mentioned.discard(gid)

    def posted(self, message: JsonObject) -> None:
        """The person posted something: if it waits, they are told when it leaves."""
        if fields.text(message, "state") == "queued":
            self._waiting.add(fields.text(message, "id"))

    def heard(self, node: Api, event: JsonObject) -> None:
        """Take in an event. An Api that fails says nothing here: the listener notices."""
        kind, gid = fields.text(event, "event"), fields.text(event, "group")
        match kind:
            case "following":
                if fields.flag(event, "silent"):
                    self._say(event, tell(SILENT))
                self._tell_unread(node)
            case "message" if gid and gid == self._chat.gid:
                self._tell_unread(node)
            case "message":
                self._mention(node, gid)
            case "state":
                self._tell_state(node, fields.record(event, "message"))
            case "digest":
                self._say(event, f"{digest_line(event)}.")
            case "support" if fields.text(event, "note"):  # said to this person under seal, as a report to a steward
                self._say(event, f"{event_line(event)}.")
            case _ if kind in _TOLD:
                self._say(event, f"{event_line(event)}.")
            case _:
                pass

    def _say(self, event: JsonObject, line: str) -> None:
        self._chat.screen.tell(lambda: (event, [line]))

    def _tell_unread(self, node: Api) -> None:
        gid = self._chat.gid
        if not gid:
            return
        more = True
        while more:
            told = node.call("read", {"group": gid, "limit": AT_ONCE_MAX, "unread": True})
            more = fields.flag(told, "newer")
            for message in fields.records(told, "messages"):
                self._tell(gid, message)

    def _tell(self, gid: str, message: JsonObject) -> None:
        self._chat.screen.tell(lambda: self._chat.said(gid, message))

    def _mention(self, node: Api, gid: str) -> None:
        """Say once that something is new in another group, until the person goes there."""
        if not gid or gid in self._mentioned:
            return
        groups = fields.records(node.call("group.list", {}), "groups")
        group = next((one for one in groups if fields.text(one, "id") == gid), None)
        if group is not None and fields.number(group, "unread"):
            self._mentioned.add(gid)
            news = tell('Something is new in "{group}". /next goes there.', group=one_line(fields.text(group, "name")))
            self._say({"event": "unread", "group": group}, news)

    def _tell_state(self, node: Api, message: JsonObject) -> None:
        """Say that a message which waited has left. A script hears of each new state, and when all have it."""
        identity = fields.text(message, "id")
        number = self._chat.numbers.known(identity)
        if not number:
            return
        try:
            shown = fields.record(node.call("message.show", {"message": identity}), "message")
        except MeshError:
            return  # it has run out, or was taken back
        state = fields.text(shown, "state")
        reached, of = fields.number(shown, "reached"), fields.number(shown, "of")
        stands = state, bool(of) and reached == of
        if state != "queued" and self._states.get(identity) != stands:
            self._states[identity] = stands
            event: JsonObject = {"event": "state", "number": number, "message": shown}
            lines = [sent_line(shown, number)] if identity in self._waiting else []
            self._waiting.discard(identity)
            self._chat.screen.tell(lambda: (event, lines))
