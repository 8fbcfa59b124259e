"""A conversation: what is typed is posted or done, what comes is told, until the person ends it.

The short commands stand here; every other one is a `mesh` command, with group and message filled in (`filling`).
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Final

from cli import errors, fields
from cli.ask import can_ask
from cli.chat.filling import Here, begun
from cli.chat.hearing import Hearing
from cli.chat.listening import Listener
from cli.chat.mesh_commands import run_command
from cli.chat.numbers import Numbers
from cli.chat.posting import Draft, post
from cli.chat.screen import Screen
from cli.chat.spoken import group_line, spoken
from cli.chat.typing import Command, Said, Typing, words_of
from cli.commands.meeting import meeting_line
from cli.commands.pin import pin_lines
from cli.commands.talk import audience
from cli.context import Context
from cli.foresight import reach_line
from cli.modes import DEFAULT, locked_mode, mode_for
from cli.output import one_line
from cli.render import catching_up_line, gap_line, shown_id, standing
from cli.tips import tips_for
from cli.words import tell, to_tell
from mesh.errors import LocalError, MeshError
from mesh.node.local.protocol import JsonObject
from mesh.phrases import phrase

UNREAD_MAX: Final = 50  # messages that are told at once when one comes into a group; /next tells more
LAST_SHOWN: Final = 5  # where nothing is unread, so that one knows where the talk stands; ours
NEED_NO_HOME: Final = frozenset({"crisis", "help", "version", "completion", "api"})  # commands that change nothing
KEPT: Final = to_tell("It was not sent. Here it is once more; /again sends it:")
PASTED: Final = to_tell("This came together with other lines, as what is pasted does, and was not done:")
MEANT: Final = to_tell("Type it again if you mean it. // at its beginning posts it as a text.")
LET_GO: Final = to_tell("What you had typed is gone, and was not sent. Ctrl-C once more ends this.")
BLOCK_BEGINS: Final = to_tell("Type your text, in as many lines as you like. A line with one dot ends it.")
UNFINISHED: Final = to_tell("This was not sent:")
HELP: Final = (
    "What you type is posted to the group that you are in. A line that begins with / is a command:",
    "/groups lists your groups. /go GROUP goes to one: its name, or how that begins. /who lists its members.",
    "/next tells what is unread. /message show 3 says how far your message 3 has come.",
    "/open 3 opens message 3. /reply 3 TEXT answers it; /reply 3 alone makes your next text the answer.",
    "/mode advice sets the mode of what you say: listening, experience, advice or resources. /mode alone says it.",
    "/cw LABEL puts a warning on your next text. /cw alone takes it off.",
    "/again sends once more what could not be sent. /text begins a text of many lines; a line with one dot ends it.",
    "/crisis shows who listens when things are dark. /pause keeps what comes from being told.",
    "Ctrl-C lets go of what you are typing. /quit ends this, and so does Ctrl-C where nothing is typed.",
    "Every mesh command works: /flag 3, /message withdraw, /invite new, /group set keep 30d. /help post explains one.",
    "A line that ends in a backslash goes on in the next. //text posts a line that begins with a slash.",
)


class Conversation:
    """One run of `mesh chat --line`."""

    def __init__(self, context: Context) -> None:
        event = "result" if context.out.json else ""
        self.context = replace_out(context, event)
        self.numbers = Numbers()
        self.draft = Draft()
        self.group: JsonObject = {}
        self.groups: dict[str, str] = {}
        self.screen = Screen(self.context.out)
        self._typing = Typing()
        self._hearing = Hearing(self)
        self._listener = Listener(context.home, heard=self._hearing.heard, changed=self._hearing.changed)
        self._short: dict[str, Callable[[str], None]] = {
            "again": self._again,
            "cw": self._warn,
            "go": self._go,
            "groups": self._list,
            "mode": self._mode,
            "next": self._next,
            "open": self._open,
            "reply": self._reply,
            "who": self._who,
        }

    @property
    def gid(self) -> str:
        """The id of the group that one is in; empty: none."""
        return fields.text(self.group, "id")

    @property
    def out_json(self) -> bool:
        """Whether a script listens."""
        return self.context.out.json

    # ------------------------------------------------------------ the loop

    def run(self, group: str | None) -> None:
        """Begin in a group, and go on until the end of what is typed, /quit or Ctrl-C."""
        self._enter(group)
        if self.context.node_up:
            self.context.forget_passphrase()
        self._listener.start()
        self._hearing.begin(node_up=self.context.node_up)
        try:
            self._go_on()
        finally:
            self._listener.stop()
            self.screen.close()
            if unfinished := self._typing.unfinished:
                self.context.out.insist(tell(UNFINISHED), unfinished)

    def _go_on(self) -> None:
        """Take line after line. Ctrl-C lets go of what is half typed; where nothing is, or once more, it is the end."""
        just_let_go = False
        while True:
            try:
                line = self.screen.read()
            except KeyboardInterrupt:
                if just_let_go or not (self._typing.unfinished or self.screen.may_hold_text):
                    return
                self._typing = Typing()
                self.context.out.insist("", tell(LET_GO))
                just_let_go = True
                continue
            just_let_go = False
            if line is None or not self._goes_on(line):
                return

    def _goes_on(self, line: str) -> bool:
        """Do what a line says; False: this is the end.

        A passphrase that was typed for it is forgotten then. While no node runs it is kept: each line opens the home.
        """
        try:
            meant = self._typing.take(line)
            if isinstance(meant, Command) and self.screen.in_burst:
                self.context.out.insist(tell(PASTED), one_line(line), tell(MEANT))
                return True
            if isinstance(meant, Command) and meant.name in {"quit", "exit"}:
                return False
            if meant is None and self._typing.begins_block:
                self.context.out.say(tell(BLOCK_BEGINS))
            elif isinstance(meant, Said):
                self._post(meant.text)
            elif meant is not None:
                self._do(meant)
        except MeshError as error:
            self.fail(error)
        except KeyboardInterrupt:
            self.context.out.insist(tell("Stopped."))  # the command, not the conversation
        finally:
            if self.context.node_up:
                self.context.forget_passphrase()
        return True

    def fail(self, error: MeshError) -> None:
        """Say what went wrong."""
        if self.out_json:
            self.context.out.result({"event": "error", **errors.as_json(error)})
        self.context.out.insist(*errors.said(error))

    def _do(self, command: Command) -> None:
        if command.name == "help" and not command.rest:
            self.context.out.result({"event": "help", "help": "\n".join(HELP)}, [tell(line) for line in HELP])
        elif command.name in self._short:
            self._short[command.name](command.rest)
        else:
            here = Here(group=self.gid, groups=self.groups, numbers=self.numbers)
            run_command(self.context, command.name, words_of(command.rest), here)
            if command.name not in NEED_NO_HOME:
                self._look_around()

    # ------------------------------------------------------------ groups

    def _enter(self, group: str | None) -> None:
        """Go to the group that is named, else to the first with something unread, else to the only one."""
        self._look_around()
        if group is not None:
            self._go_to(group)
            return
        listed = self._groups()
        inside = [one for one in listed if fields.text(one, "state") not in {"left", "removed"}]
        unread = [one for one in inside if fields.number(one, "unread")]
        if unread or len(inside) == 1:
            self._go_to(fields.text((unread or inside)[0], "id"))
        else:
            self._list("")

    def _groups(self) -> list[JsonObject]:
        return fields.records(self.context.call("group.list"), "groups")

    def _look_around(self) -> None:
        """Learn which groups there are: a command may have made, joined or left one."""
        with suppress(MeshError):
            listed = self._groups()
            self.groups = {fields.text(one, "id"): fields.text(one, "name") for one in listed}
            if self.gid and self.gid not in self.groups:
                self.group = {}

    def _list(self, rest: str) -> None:
        del rest
        listed = self._groups()
        lines = [group_line(group) for group in listed] or [tell("You are in no group. /join CODE joins one.")]
        ending = [] if self.group or not listed else [tell("/go GROUP goes to one.")]
        self.context.out.result({"event": "groups", "groups": list(listed)}, [*lines, *ending])

    def _go(self, rest: str) -> None:
        words = words_of(rest)
        if words:
            self._go_to(" ".join(words))
        else:
            self._list("")

    def _go_to(self, name: str) -> None:
        """Go to a group: say where one is, who can see, and what is unread."""
        with self.context.api() as api:
            group = fields.record(api.call("group.show", {"group": begun(name, self.groups)}), "group")
            asked: JsonObject = {"group": fields.text(group, "id"), "limit": UNREAD_MAX, "unread": True}
            told = api.call("read", asked)
            if not fields.records(told, "messages"):
                told = api.call("read", {**asked, "limit": LAST_SHOWN, "unread": False})
        self.group, self.numbers.last = group, ""
        self.draft = Draft()
        self._hearing.entered(self.gid)
        out = self.context.out
        here = tell('You are in "{group}".', group=one_line(fields.text(group, "name")))
        out.result({"event": "group", "group": group}, [here])
        if stands := standing(group):
            out.say(errors.sentence(stands))
        with suppress(MeshError):  # of a group that one is out of it is said when one posts
            out.say(*audience(group, no_history=False), *([] if can_ask() else filter(None, [reach_line(group)])))
        if locked := locked_mode(group):
            out.say(tell("Its stewards have locked the mode: {mode}.", mode=locked))
        self._tell_page(told)

    def _tell_page(self, told: JsonObject) -> None:
        """Tell what stands first, what was said, and what is missing."""
        first = list(pin_lines(told, conversing=True))
        if fields.flag(meeting := fields.record(told, "meeting"), "soon"):
            first.append(tell("Meeting: {meeting}.", meeting=meeting_line(meeting)))
        if first and not self.out_json:
            self.context.out.result({}, first)
        for message in fields.records(told, "messages"):
            self.tell_message(message)
        for gap in fields.records(told, "gaps"):
            self.context.out.result({"event": "gap", "group": self.gid, "gap": gap}, [gap_line(gap)])
        if fields.flag(told, "newer"):
            self.context.out.say(tell("More is unread: /next."))
        if line := catching_up_line(fields.record(told, "catching_up")):
            self.context.out.say(errors.sentence(line))

    def tell_message(self, message: JsonObject) -> None:
        """Tell one message of the group that one is in, under its number."""
        event, lines = self.said(self.gid, message)
        self.context.out.result(event, lines)

    def said(self, gid: str, message: JsonObject) -> tuple[JsonObject, list[str]]:
        """Give a message its number; return it as an event and as lines, which name its group if one is in another.

        One that came while something was half typed is told when that is done: the person may have gone on by then.
        """
        identity = fields.text(message, "id")
        number = self.numbers.of(identity)
        if gid == self.gid:
            self.numbers.last = identity
        event: JsonObject = {"event": "message", "group": gid, "number": number, "message": message}
        lines = spoken(message, number, self.numbers.known)
        if gid and gid != self.gid:
            name = one_line(self.groups.get(gid, "")) or shown_id(gid)
            lines = [tell('This was said in "{group}", where you were before:', group=name), *lines]
        return event, lines

    def _next(self, rest: str) -> None:
        """Tell what is unread here; where nothing is, go on to the next group in which something is."""
        del rest
        if self.group:
            told = self.context.call("read", {"group": self.gid, "limit": UNREAD_MAX, "unread": True})
            if fields.records(told, "messages"):
                self._tell_page(told)
                return
        for group in self._groups():
            if fields.number(group, "unread"):
                self._go_to(fields.text(group, "id"))
                return
        self.context.out.result({"event": "result", "unread": 0}, [tell("Nothing is unread.")])

    def _who(self, rest: str) -> None:
        here = Here(group=self.gid, groups=self.groups, numbers=self.numbers)
        run_command(self.context, "group", ["members", *words_of(rest)], here)

    # ------------------------------------------------------------ messages

    def _open(self, rest: str) -> None:
        words = words_of(rest)
        wanted = self.numbers.id_of(words[0]) if words else self.numbers.last
        if not wanted:
            raise LocalError("Which message?", do="/open 3 opens message 3.", code="E-VALUE-NEEDED")
        message = fields.record(self.context.call("message.show", {"message": wanted}), "message")
        event, lines = self.said("", message)
        self.context.out.result({**event, "group": fields.text(message, "group") or self.gid}, lines)

    def _reply(self, rest: str) -> None:
        """Answer a message with the rest of the line, or with the next text."""
        word, _, text = rest.partition(" ")
        wanted = self.numbers.id_of(word) if word else self.numbers.last
        if not wanted:
            raise LocalError(
                "Which message do you answer?", do="/reply 3 TEXT answers message 3.", code="E-VALUE-NEEDED"
            )
        self.draft.reply_to = wanted
        if text.strip():
            self._post(text.strip())
        else:
            self.context.out.say(tell("Your next text answers it. /reply to another number changes that."))

    def _mode(self, rest: str) -> None:
        modes = ("listening", "experience", "advice", "resources")
        if rest and rest not in modes:
            raise LocalError(
                phrase("There is no mode “{mode}”.", mode=one_line(rest)[:40]),
                do=phrase("One of: {modes}.", modes=", ".join(modes)),
                code="E-USAGE",
            )
        self.draft.mode = mode_for(self.group, rest) if rest else self.draft.mode
        now = self.draft.mode or locked_mode(self.group) or DEFAULT
        self.context.out.result({"event": "result", "mode": now}, [tell("You speak in the mode: {mode}.", mode=now)])

    def _warn(self, rest: str) -> None:
        self.draft.warning = rest
        said = tell("Your next text has no warning.")
        if rest:
            said = tell("Your next text has the warning: {label}.", label=one_line(rest))
        self.context.out.say(*tips_for(rest))
        self.context.out.result({"event": "result", "cw": rest}, [said])

    def _again(self, rest: str) -> None:
        del rest
        if not self.draft.kept:
            raise LocalError("There is nothing to send again.", code="E-VALUE-NEEDED")
        self._post(self.draft.kept)

    def _post(self, text: str) -> None:
        """Post a text; where that fails it is shown once more, and kept with all that belongs to it."""
        try:
            if not self.group:
                raise LocalError(
                    "You are in no group yet.", do="/groups lists yours, /go GROUP goes to one.", code="E-NO-GROUP"
                )
            self._hearing.posted(post(self, text))
        except (MeshError, KeyboardInterrupt):
            self.draft.kept = text
            self.context.out.insist(tell(KEPT), text)
            raise
        self.draft = Draft(mode=self.draft.mode)


def replace_out(context: Context, event: str) -> Context:
    """Return the context of a conversation: always plain, and with each object an event."""
    return Context(
        home=context.home,
        out=replace(context.out, plain=True, event=event),
        yes=context.yes,
        conversing=True,
        passphrase_fd=context.passphrase_fd,
    )
