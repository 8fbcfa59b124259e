"""What members of a support group do for each other, as steps of a plan: each is one call of the local Api.

What draws keys from the operating system there (talks with a listener) is asked of the machine instead, with keys from
the world's seed. Every answer is shown to the watch for leaks, which learns from the steps what is secret.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from mesh.identity.words import fresh_alias
from mesh.ids import GroupId, JoinId, PostId
from mesh.listening import AskListener, EndListening, EnterTalk, Seat, SeekTalk
from mesh.node.local.protocol import JsonObject, JsonValue
from mesh.peer.listening import ASKED_MAX, listen_state, volunteers
from mesh.peer.records import JoinStage
from mesh.secret import Secret
from mesh.support.listening import MINUTES
from simulations.chance import SeededEntropy
from simulations.desks import WorldDesk
from simulations.errors import NotYet
from simulations.leaks import Reported
from simulations.people import Person
from simulations.plans import Step

if TYPE_CHECKING:
    from simulations.stage import Stage

COMES_S_MAX: Final = 60.0  # how long one who says yes waits until the talk shows itself, and lets them in
QUIET_S: Final = 600
TURN_S: Final = 60
QUESTION: Final = "What carried you through the week?"


def _call(stage: "Stage", person: Person, method: str, params: JsonObject, *, opened: bool = False) -> JsonObject:
    """Ask the local Api, and let the watch look at what it answers."""
    answer = WorldDesk(stage.world, person.name).answer(method, **{"wait_s": 0.0, **params})
    stage.leaks.answered(person.name, method, answer, opened=opened)
    return answer


def _in_group(method: str, **more: JsonValue) -> "Deed":
    """Make a deed of a method that takes a group and nothing else from the step."""

    def does(stage: "Stage", one: Step) -> None:
        person = stage.person(one)
        _call(stage, person, method, {"group": stage.group(one, person).hex(), **more})

    return does


# ---------------------------------------------------------------- words


def _open(stage: "Stage", one: Step) -> None:
    _, gid, post = stage.post(one)
    _call(stage, stage.person(one), "read", {"group": gid.hex(), "open": post.hex()}, opened=True)


def _export(stage: "Stage", one: Step) -> None:
    person = stage.person(one)
    stage.leaks.export(person.name, stage.group(one, person), WorldDesk(stage.world, person.name))


def _share_ask(stage: "Stage", one: Step) -> None:
    _call(stage, stage.person(one), "share.ask", {"message": stage.post(one)[2].hex()})


def _share_grant(stage: "Stage", one: Step) -> None:
    person, (_, _, post) = stage.person(one), stage.post(one)
    to = one.text("to") or None
    told = _call(stage, person, "share.grant", {"message": post.hex(), "to": to})["share"]
    assert isinstance(told, dict)
    named = told["to"]
    assert isinstance(named, list)
    aliases = [str(entry["alias"]) for entry in named if isinstance(entry, dict)]
    stage.leaks.consented(post, everyone=bool(told["everyone"]), to=aliases)


def _share_withdraw(stage: "Stage", one: Step) -> None:
    person, (_, gid, post) = stage.person(one), stage.post(one)
    _call(stage, person, "share.withdraw", {"message": post.hex()})
    waits = len(person.room(gid).drafts)  # each takes a number when somebody is there
    stage.leaks.taken_back(post, person.name, person.group(gid).own.mseq + waits)


# ---------------------------------------------------------------- reports and the ladder


def _report(stage: "Stage", one: Step) -> None:
    person, (author, gid, post) = stage.person(one), stage.post(one)
    text = f"What {one.text('says')} says frightens me."
    _call(stage, person, "report.check", {"message": post.hex(), "note": text})
    told = _call(stage, person, "report", {"message": post.hex(), "note": text})["report"]
    assert isinstance(told, dict)
    readers = told["to"]
    assert isinstance(readers, list)
    report = Reported(
        group=gid,
        author=person.name,
        reported=author,
        readers=frozenset(str(entry["alias"]) for entry in readers if isinstance(entry, dict)),
        names=(person.name.encode(), person.member(gid), person.device(gid)),
    )
    stage.leaks.reported(report, text, bytes.fromhex(str(told["id"])))


def _reports(stage: "Stage", one: Step, *, mine: bool) -> list[JsonObject]:
    """Give the open reports that somebody has, of their own or of others; NotYet if there is none."""
    person = stage.person(one)
    listed = _call(stage, person, "reports.list", {"group": stage.group(one, person).hex()})["reports"]
    assert isinstance(listed, list)
    found = [row for row in listed if isinstance(row, dict) and row["mine"] is mine and not row["closed"]]
    if not found:
        raise NotYet(f"{person.name} has no open report")
    return found


def _report_answer(stage: "Stage", one: Step) -> None:
    person = stage.person(one)
    for row in _reports(stage, one, mine=False):
        _call(stage, person, "reports.show", {"report": row["id"], "open": True}, opened=True)
        _call(stage, person, "reports.answer", {"report": row["id"], "text": "Thank you. We look after it."})


def _report_withdraw(stage: "Stage", one: Step) -> None:
    for row in _reports(stage, one, mine=True):
        _call(stage, stage.person(one), "reports.withdraw", {"report": row["id"]})


def _quiet(stage: "Stage", one: Step) -> None:
    for_s, reason = one.number("for_s", QUIET_S), "Please leave room for others."
    _in_group("sanction", member=one.text("member"), step="quiet", reason=reason, for_s=for_s)(stage, one)


def _lift(stage: "Stage", one: Step) -> None:
    _in_group("sanction", member=one.text("member"), step="lift", reason="")(stage, one)


# ---------------------------------------------------------------- a listener


def _listen_ask(stage: "Stage", one: Step) -> None:
    person = stage.person(one)
    gid = stage.group(one, person)
    room, entropy = person.room(gid), _entropy(stage, person)
    seats = [
        Seat(
            name="listening",
            alias=fresh_alias(entropy),
            join_nonce=entropy.draw(32),
            member_seed=Secret(entropy.draw(32)),
        )
        for _ in range(ASKED_MAX)
    ]
    offers = volunteers(room, stage.world.instant(person.node).wall_ms)
    command = AskListener(
        group=gid,
        volunteers=tuple(sorted(offers.keys() - {room.group.own.member_pk})),
        topic="",
        mode="listening",
        minutes=MINUTES,
        direct=bool(one.args.get("direct", False)),
        seats=tuple(seats),
    )
    ask = stage.world.ask(person.name, command)
    for new, kept in room.listens.items():
        if kept.ask == ask:
            talk = person.group(new)
            assert talk.me is not None, "who asks has founded it"
            invited = [member for invite in talk.invites.values() for member in invite.body.allow]
            insiders = frozenset({person.name, *(room.group.view.members[member].alias for member in invited)})
            stage.leaks.asked(new, talk.me.alias, insiders)
            stage.leaks.joined(new, person.name, talk.me.alias)


def _entropy(stage: "Stage", person: Person) -> SeededEntropy:
    """Give what keys and aliases are drawn from: another for each that is drawn in a run."""
    return SeededEntropy(stage.world.seed, f"listening/{person.name}/{len(stage.journal)}")


def _listen_accept(stage: "Stage", one: Step) -> None:
    """Say yes, and come in once the talk has shown itself."""
    person = stage.person(one)
    gid = stage.group(one, person)
    room, wall_ms = person.room(gid), stage.world.instant(person.node).wall_ms
    peer = person.node.peer
    assert peer is not None
    offered = [new for new in room.listens if listen_state(peer.state, room, new, wall_ms) == "offered"]
    if not offered:
        raise NotYet(f"nobody asks {person.name}")
    new = offered[0]
    seek = SeekTalk(group=gid, talk=new, direct=bool(one.args.get("direct", False)))
    join = JoinId(stage.world.ask(person.name, seek))
    found = person.until(lambda: not person.knows(join) or person.stage(join) is JoinStage.PREVIEW, COMES_S_MAX)
    if not found or not person.knows(join) or not person.node.up:
        raise NotYet("the talk does not show itself")
    entropy = _entropy(stage, person)
    command = EnterTalk(
        group=gid,
        talk=new,
        alias=fresh_alias(entropy),
        join_nonce=entropy.draw(32),
        member_seed=Secret(entropy.draw(32)),
        former_seed=person.member_seeds[gid],
    )
    stage.world.ask(person.name, command)
    if not person.until(lambda: _is_in(person, new), COMES_S_MAX):
        raise NotYet("the talk does not come about")
    person.member_seeds[new] = command.member_seed
    stage.groups[one.text("talk")] = new
    if new in stage.leaks.talks:
        stage.leaks.joined(new, person.name, command.alias)


def _is_in(person: Person, gid: GroupId) -> bool:
    peer = person.node.peer
    return peer is not None and gid in peer.state.rooms and peer.state.rooms[gid].group.me is not None


def _listen_end(stage: "Stage", one: Step) -> None:
    person = stage.person(one)
    talk = stage.group(one, person, "talk")
    stage.world.ask(person.name, EndListening(group=stage.group(one, person), talk=talk))


# ---------------------------------------------------------------- circles


def _circle_open(stage: "Stage", one: Step) -> None:
    _in_group("circle.open", question=QUESTION, turn_s=one.number("turn_s", TURN_S))(stage, one)


def _circle_say(stage: "Stage", one: Step) -> None:
    person = stage.person(one)
    gid = stage.group(one, person)
    label = one.text("says") or f"{person.name}-{len(stage.posts) + 1}"
    told = _call(stage, person, "circle.say", {"group": gid.hex(), "text": f"{label}. A walk, and soup."})["message"]
    assert isinstance(told, dict)
    stage.posts[label] = person.name, one.text("group"), PostId(bytes.fromhex(str(told["id"])))


Deed: TypeAlias = "Callable[[Stage, Step], None]"
SUPPORT: Final[dict[str, Deed]] = {
    "read": _in_group("read"),
    "open": _open,
    "report": _report,
    "report-answer": _report_answer,
    "report-withdraw": _report_withdraw,
    "quiet": _quiet,
    "lift": _lift,
    "share-ask": _share_ask,
    "share-grant": _share_grant,
    "share-withdraw": _share_withdraw,
    "export": _export,
    "listen-offer": _in_group("listen.offer"),
    "listen-ask": _listen_ask,
    "listen-accept": _listen_accept,
    "listen-end": _listen_end,
    "circle-open": _circle_open,
    "circle-join": _in_group("circle.join"),
    "circle-next": _in_group("circle.next"),
    "circle-say": _circle_say,
    "circle-pass": _in_group("circle.pass"),
    "circle-close": _in_group("circle.close"),
}
