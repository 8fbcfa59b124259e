"""What each method of the local Api does: over the pure machine and the store, the same in both bodies.

A method is an async function of a `Desk` and its parameters. In a running node the desk hands commands to the
runner and can wait for what happens; in a command that opens the home itself it answers at once, and nothing ever
waits.
"""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final

from mesh.node.local.api import METHODS, STREAMS, unknown_method
from mesh.node.local.methods import (
    agreements,
    devices,
    doors,
    export,
    files,
    flags,
    forks,
    groups,
    handing_over,
    keepers,
    log,
    meetings,
    milestones,
    node,
    own,
    pace,
    pins,
    proofs,
    reflect,
    reports,
    rooms,
    sanctions,
    share,
    shelf,
    stewards,
    talk,
    talks,
    verifying,
)
from mesh.node.local.methods.desk import Desk
from mesh.node.local.protocol import JsonObject

Method = Callable[[Desk, JsonObject], Awaitable[JsonObject]]

TABLE: Final[Mapping[str, Method]] = MappingProxyType(
    {
        "api.methods": node.methods,
        "appeal": sanctions.appeal,
        "device.add": devices.add,
        "device.join": devices.join,
        "device.list": devices.list_devices,
        "device.remove": devices.remove,
        "device.remove.check": devices.remove_check,
        "export": export.export,
        "file.fetch": files.fetch,
        "file.offer": files.offer,
        "file.piece": files.piece,
        "flag": flags.flag,
        "group.agreement": agreements.agreement,
        "group.confirm": groups.confirm,
        "group.create": groups.create,
        "group.fork": forks.fork,
        "group.fork.again": forks.again,
        "group.fork.decline": forks.decline,
        "group.fork.follow": forks.follow,
        "group.leave": groups.leave,
        "group.leave.check": groups.leave_check,
        "group.list": groups.list_groups,
        "group.members": groups.members,
        "group.proof": proofs.proof,
        "group.hold": groups.hold,
        "group.pin": pins.pin,
        "group.rank": groups.rank,
        "group.rekey": groups.rekey,
        "group.remove": groups.remove,
        "group.remove.check": groups.remove_check,
        "group.set": groups.set_setting,
        "group.show": groups.show,
        "id.passphrase": node.change_passphrase,
        "id.show": node.identity,
        "invite.list": doors.list_invites,
        "invite.new": doors.new_invite,
        "invite.revoke": doors.revoke_invite,
        "join.agree": doors.agree,
        "join.drop": doors.drop,
        "join.list": doors.list_joins,
        "join.start": doors.start,
        "join.wait": doors.wait,
        "keeper.add": keepers.add,
        "keeper.list": keepers.list_keepers,
        "keeper.off": keepers.turn_off,
        "keeper.on": keepers.turn_on,
        "keeper.remove": keepers.remove,
        "keeper.status": keepers.status,
        "keeper.ticket": keepers.ticket,
        "knocks.admit": doors.admit,
        "knocks.decline": doors.decline,
        "knocks.list": doors.list_knocks,
        "log": log.log,
        "meeting.remind": meetings.remind,
        "meeting.set": meetings.set_meeting,
        "meeting.show": meetings.show,
        "message.show": talk.show,
        "message.withdraw": talk.withdraw,
        "milestone.add": milestones.add,
        "milestone.congratulate": milestones.congratulate,
        "milestone.list": milestones.list_milestones,
        "milestone.reset": milestones.reset,
        "node.health": node.health,
        "node.stop": node.stop,
        "outbox": talk.outbox,
        "own.hide": own.hide,
        "own.list": own.list_own,
        "own.pace": pace.set_pace,
        "own.person": own.person_,
        "own.words": own.words,
        "post": talk.post,
        "read": talk.read,
        "reflect.add": reflect.add,
        "reflect.delete": reflect.delete,
        "reflect.list": reflect.list_notes,
        "report": reports.report,
        "reports.answer": reports.answer,
        "reports.list": reports.list_reports,
        "reports.show": reports.show,
        "sanction": sanctions.sanction,
        "share.ask": share.ask,
        "share.grant": share.grant,
        "share.list": share.list_shares,
        "share.refuse": share.refuse,
        "share.withdraw": share.withdraw,
        "shelf.add": shelf.add,
        "shelf.helped": shelf.helped,
        "shelf.list": shelf.list_resources,
        "shelf.retire": shelf.retire,
        "shelf.show": shelf.show,
        "status": node.status,
        "steward.duty": stewards.duty,
        "steward.handover": handing_over.handover,
        "steward.term": stewards.term,
        "stewards.list": stewards.list_stewards,
        "stewards.open": rooms.open_room,
        "stewards.room": rooms.show,
        "talk.accept": talks.accept,
        "talk.check": talks.check,
        "talk.decline": talks.decline,
        "talk.list": talks.list_talks,
        "talk.offer": talks.offer,
        "verify": verifying.verify,
    }
)
assert set(TABLE) | STREAMS == set(METHODS), "the table of methods and their list have drifted apart"


async def call(desk: Desk, method: str, params: JsonObject) -> JsonObject:
    """Answer one call; MeshError in words."""
    found = TABLE.get(method)
    if found is None:
        raise unknown_method(method)
    return await found(desk, params)
