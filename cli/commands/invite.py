"""`invite`: make, list and revoke the codes by which people join."""

from typing import Annotated

from cyclopts import App, Parameter

from cli import fields
from cli.options import Flag, Here, Seconds
from cli.output import one_line
from cli.render import shown_id, when
from cli.words import tell, tell_each, tell_many
from mesh.node.local.protocol import JsonObject

app = App(name="invite", help="Make, list and revoke invite codes.")

EXPIRES_S = 72 * 3600  # protocol.md §12


@app.command
def new(
    group: str,
    /,
    *,
    uses: Annotated[int, Parameter(metavar="N")] = 1,
    expires: Seconds = EXPIRES_S,
    approvals: Annotated[int | None, Parameter(metavar="K")] = None,
    note: str = "",
    qr: Flag = False,
    context: Here,
) -> None:
    """Make an invite code.

    Whoever is let in by the node of a moderator, steward or founder is a member at once. A plain member's node lets in
    newcomers. They are members some three days later, unless a member says no (`mesh group hold`).

    Send it privately: whoever holds it sees the group's name and agreement, and can knock. The part after #
    says where your node is, and the nodes of members who allow it. Without it a code finds nobody, unless the node
    that uses it has a link to a member.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    uses
        How many people may join with it.
    expires
        How long it is good for, in whole hours, counted from the next full hour: 1h at the least, 90d at most.
    approvals
        0: the node of a member who is online lets them in by itself. 1 to 8: so many moderators, stewards
        and founders have to say yes, not necessarily at the same time. Left out: 0 for one use; for more, what
        the group has set, or 1.
    note
        For yourself: whom it is for. It stays on this machine.
    qr
        Also show it as a picture to be scanned.
    """
    asked: JsonObject = {
        "group": group,
        "uses": uses,
        "expires_s": expires,
        "approvals": approvals,
        "note": note,
    }
    told = context.call("invite.new", asked)
    code = fields.text(told, "code")
    context.out.result(told, [code])
    invite = fields.record(told, "invite")
    context.out.say(
        tell_many(
            "Good for one person until {time}.",
            "Good for {count} people until {time}.",
            count=fields.number(invite, "uses"),
            time=when(fields.text(invite, "expires")),
        ),
        _door_line(invite),
        _way_line(invite, node_up=context.node_up),
        tell("Send it privately: whoever holds it can knock."),
    )
    if qr and not context.out.json:
        context.out.result({}, picture(code))


def _door_line(invite: JsonObject) -> str:
    """Say who lets them in, and as what: that depends on whose node does it (protocol.md §12)."""
    count = fields.number(invite, "approvals")
    if count == 1:
        return tell("A moderator, steward or founder has to let them in: `mesh knocks list` shows who waits.")
    newcomer = tell(
        "A moderator's, steward's or founder's node lets them in as a member; a plain member's as a newcomer, "
        "for about 3 days."
    )
    if not count:
        return newcomer
    asked = tell_many(
        "{count} moderators, stewards or founders have to say yes: `mesh knocks list` shows who waits.",
        "{count} moderators, stewards or founders have to say yes: `mesh knocks list` shows who waits.",
        count=count,
    )
    return f"{asked} {newcomer}"


def _way_line(invite: JsonObject, *, node_up: bool) -> str:
    """Say where the code leads, and so who must be up for it to find anybody."""
    if not fields.number(invite, "addresses"):
        return tell(
            "It has no part after #, for your node has no address yet: start it with `mesh up`, and make a new code."
        )
    if not node_up:
        return tell(
            "Your node is not running, so nobody's node knows of this code yet: start it with `mesh up` before use."
        )
    if keepers := fields.number(invite, "keepers"):
        return tell_many(
            "It leads to your node and to {count} keeper of the group: they can knock while your node is off.",
            "It leads to your node and to {count} keepers of the group: they can knock while your node is off.",
            count=keepers,
        )
    if others := fields.number(invite, "others"):
        return tell_many(
            "It leads to your node and to {count} other member's: one of them has to be running when they knock.",
            "It leads to your node and to {count} other members': one of them has to be running when they knock.",
            count=others,
        )
    return tell("It leads to your node alone: leave that running until they are in.")


@app.command(name="list")
def list_(group: str, /, *, context: Here) -> None:
    """List the invites of a group.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    """
    told = context.call("invite.list", {"group": group})
    invites = fields.records(told, "invites")
    context.out.result(told, [] if invites else [tell("There are no invites.")])
    context.out.table(
        tell_each("id", "uses left", "expires", "state", "approval", "note"),
        [
            (
                shown_id(fields.text(invite, "id")),
                str(fields.number(invite, "uses_left")),
                when(fields.text(invite, "expires")),
                _state(invite),
                str(fields.number(invite, "approvals") or ""),
                one_line(fields.text(invite, "note")),
            )
            for invite in invites
        ],
    )


def _state(invite: JsonObject) -> str:
    """Show an invite's state, and whether more came in by it than it was for."""
    state = fields.text(invite, "state")
    return tell("{state}, more came than it was for", state=state) if fields.flag(invite, "over_uses") else state


@app.command
def revoke(group: str, invite: str, /, *, context: Here) -> None:
    """Close an invite for good; whoever joined with it stays.

    Parameters
    ----------
    group
        The group's name, or the beginning of its id.
    invite
        The beginning of the invite's id.
    """
    told = context.call("invite.revoke", {"group": group, "invite": invite})
    context.out.result(told, [tell("The invite is closed.")])
    context.say_unheard()


def picture(code: str) -> list[str]:
    """Draw a code as a QR picture of half blocks: version 4-M in upper case; with addresses, as it is."""
    import io

    import segno

    held = io.StringIO()
    qr = segno.make_qr(code if "#" in code else code.upper(), error="m", boost_error=False)
    qr.terminal(out=held, compact=True)
    return held.getvalue().splitlines()
