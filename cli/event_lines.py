"""Events of the node in words, one line each. Pure: JSON in, a line out."""

from typing import Final

from cli import fields
from cli.join_lines import JOIN_WORDS
from cli.output import one_line
from cli.render import catching_up_line, history_seen, shown_id
from cli.words import tell, to_tell
from mesh.node.local.protocol import JsonObject
from mesh.phrases import own

EVENTS: Final = {  # of the node, that say no more than the group
    "message": to_tell("A message in group {group}"),
    "joined": to_tell("Somebody joined group {group}"),
    "knock": to_tell("Somebody waits at the door of group {group}: `mesh knocks list`"),
    "talk": to_tell("Somebody of group {group} asks to talk with you as two: `mesh talk`"),
    "fork": to_tell("A successor to group {group} is offered to you: `mesh status`"),
    "turn": to_tell("It is your turn in a circle of group {group}: `mesh circle show`"),
}


CHANGES: Final = {  # what members state, and what is said under seal to this person, by its form
    "flag": to_tell("Group {group}: somebody flagged a message, or no longer does"),
    "pin": to_tell("Group {group}: a message was pinned, or unpinned"),
    "meeting": to_tell("Group {group}: when it meets was set or changed"),
    "resource": to_tell("Group {group}: something was put on the shelf, or changed there"),
    "retirement": to_tell("Group {group}: something was taken off the shelf"),
    "helped": to_tell("Group {group}: somebody said what helped them, on the shelf"),
    "milestone": to_tell("Group {group}: a milestone was put up, or taken down"),
    "congratulation": to_tell("Group {group}: somebody wished another well, at a milestone"),
    "quiet": to_tell("Group {group}: somebody is asked to be quiet for a while: `mesh log`"),
    "lift": to_tell("Group {group}: somebody's quiet was ended: `mesh log`"),
    "folding": to_tell("Group {group}: a message was folded, or opened again: `mesh log`"),
    "consent": to_tell("Group {group}: whether a message may leave it was changed"),
    "circle": to_tell("Group {group}: a circle was opened, or has changed: `mesh circle show`"),
    "seat": to_tell("Group {group}: somebody joined the circle, or left it"),
    "start": to_tell("Group {group}: the circle has begun; what others post waits until it is over"),
    "turn": to_tell("Group {group}: somebody spoke in the circle, or passed"),
    "move": to_tell("Group {group}: the circle was moved on"),
    "closing": to_tell("Group {group}: the circle was closed"),
    "listener": to_tell("Group {group}: somebody offers to listen, or no longer does: `mesh listen list`"),
    "talk_end": to_tell("Group {group}: the talk was ended"),
    "pledge": to_tell("Group {group}: somebody said yes to the agreement"),
    "duty": to_tell("Group {group}: somebody who serves went on or off duty: `mesh stewards`"),
    "term": to_tell("Group {group}: a steward's term was set or changed: `mesh stewards`"),
    "report": to_tell("Group {group}: a report came for you: `mesh reports`"),
    "appeal": to_tell("Group {group}: an appeal came for you: `mesh reports`"),
    "recall": to_tell("Group {group}: somebody took back a report or an appeal: `mesh reports`"),
    "word": to_tell("Group {group}: somebody has written to you alone: `mesh log`"),
    "question": to_tell("Group {group}: somebody asks whether your words may leave it: `mesh share list`"),
    "seeking": to_tell("Group {group}: somebody asks you whether you know a group: `mesh introduce list`"),
    "introduction": to_tell("Group {group}: there is an answer to what you asked: `mesh introduce list`"),
    "room": to_tell("Group {group}: you are asked into the stewards' room: `mesh stewards open`"),
}


def event_line(event: JsonObject) -> str:
    """Say an event of the node in one line."""
    group = shown_id(fields.text(event, "group"))
    match fields.text(event, "event"):
        case "link":
            peer = one_line(fields.text(event, "peer"))
            linked = fields.flag(event, "linked")
            return tell("Linked with {peer}", peer=peer) if linked else tell("No longer linked with {peer}", peer=peer)
        case "state":
            message = fields.record(event, "message")
            short, state = shown_id(fields.text(message, "id")), fields.text(message, "state")
            return tell("Your message {id} is {state}", id=short, state=state)
        case "join":
            short, state = shown_id(fields.text(event, "join")), fields.text(event, "state")
            words = own(JOIN_WORDS[state]) if state in JOIN_WORDS else one_line(state) or own("dropped")
            return tell("Joining {group}: {state}", group=short, state=words)
        case "listen":
            state = fields.text(event, "state")
            if state == "offered":
                return tell("Somebody of group {group} asks for a listener: `mesh listen list`", group=group)
            return tell(
                "A talk with a listener, asked for in group {group}: {state}", group=group, state=one_line(state)
            )
        case "group":
            return _changed_line(group, fields.text(event, "history"))
        case "support":
            form = one_line(fields.text(event, "form"))
            if form in CHANGES:
                return tell(CHANGES[form], group=group)
            return tell("Group {group}: something about a {form} has changed", group=group, form=form)
        case "history":
            count = fields.number(event, "messages")
            if fields.flag(event, "done"):
                return tell("Earlier messages of group {group}: {count}", group=group, count=count)
            return tell("Earlier messages of group {group}: {count} so far", group=group, count=count)
        case "catching-up":
            return tell("Group {group}: {progress}", group=group, progress=catching_up_line(event))
        case kind if kind in EVENTS:
            return tell(EVENTS[kind], group=group)
        case other:
            return one_line(other)


def _changed_line(group: str, history: str) -> str:
    """Say that a group has changed, and what newcomers see if it is that."""
    if history == "none":
        return tell("Group {group} has changed: from now on newcomers see nothing of what was said", group=group)
    if history:
        seen = history_seen(history)
        return tell("Group {group} has changed: from now on newcomers see {what}", group=group, what=seen)
    return tell("Group {group} has changed", group=group)
