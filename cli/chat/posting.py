"""Posting what was typed in a conversation, after the checks that `mesh post` makes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli import fields
from cli.chat.spoken import sent_line
from cli.commands.talk import answered, audience, looked_up, mind_contacts, what_it_waits_for
from cli.modes import means_advice, mode_for
from mesh.node.local.protocol import JsonObject

if TYPE_CHECKING:
    from cli.chat.conversation import Conversation

WAIT_S = 2  # for the first who takes it, as `mesh post`


@dataclass(slots=True, kw_only=True)
class Draft:
    """What belongs to the next text, and the last one that could not be sent."""

    mode: str = ""  # stays until it is changed
    warning: str = ""
    reply_to: str = ""
    kept: str = ""


def post(chat: "Conversation", text: str) -> JsonObject:
    """Post a text to the group that one is in, and return the message. MeshError where it is not sent."""
    draft, context = chat.draft, chat.context
    with context.api() as api:
        shown = looked_up(api, chat.gid)
        seen_by = audience(shown, no_history=False)
        if shown and seen_by != audience(chat.group, no_history=False):
            context.out.say(*seen_by)  # it has changed since it was last said
            chat.group = shown
        mode = mode_for(shown, draft.mode or None)
        advice = means_advice(answered(api, draft.reply_to or None), mode, confirmed=False)
        mind_contacts(context, text, typed=False)
        asked: JsonObject = {
            "group": chat.gid,
            "text": text,
            "mode": mode,
            "cw": draft.warning,
            "topics": [],
            "reply_to": draft.reply_to or None,
            "no_history": False,
            "expires_s": None,
            "wait_s": WAIT_S,
        }
        asked |= {"confirm_advice": True} if advice else {}
        message = fields.record(api.call("post", asked), "message")
    number = chat.numbers.of(fields.text(message, "id"))
    chat.numbers.last = fields.text(message, "id")
    event: JsonObject = {"event": "posted", "group": chat.gid, "number": number, "message": message}
    context.out.result(event, [sent_line(message, number)])
    if fields.text(message, "state") == "queued":
        context.out.say(*what_it_waits_for(message, shown, node_up=context.node_up))
    return message
