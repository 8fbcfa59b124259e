"""Asking: what the person wants, checked and carried out. A `LocalError` leaves everything as it was."""

from mesh.commands import (
    AcceptTalk,
    AgreeJoin,
    ClearPosts,
    CloseNote,
    Command,
    ConfirmGroup,
    ConfirmMember,
    CreateGroup,
    DecideKnock,
    DeclineFork,
    DeclineTalk,
    DropJoin,
    FetchFiles,
    FollowFork,
    GivePiece,
    HoldBack,
    KeepOwn,
    KnownAddress,
    LeaveGroup,
    MakeStatement,
    MarkRead,
    NewInvite,
    OfferFiles,
    OfferFork,
    OfferForkAgain,
    OfferTalk,
    Post,
    Rank,
    RecallNote,
    Rekey,
    RemoveMember,
    RevokeInvite,
    SayNote,
    SetAgreement,
    SetRank,
    SetSetting,
    StartJoin,
    Withdraw,
)
from mesh.errors import LocalError, RefusedError
from mesh.events import Space
from mesh.groups.authoring import author, found, rekey
from mesh.ids import Address, MemberPk
from mesh.listening import AskListener, EndListening, EnterTalk, ListeningCommand, SeekTalk, SeenListening
from mesh.membership.views import Member
from mesh.peer import agreeing, attaching, choosing, confirming, fetching, hosting, raising, terms
from mesh.peer.chores import remove_member, remove_own_device
from mesh.peer.consent import quote_value, source_of
from mesh.peer.entering import end_entering, enter_group, start_entering
from mesh.peer.forking import decline_fork, follow_fork, offer_again, offer_fork
from mesh.peer.homes import forget_home
from mesh.peer.inviting import decide_knock, new_invite, revoke
from mesh.peer.joining import agree, drop_join, start_join
from mesh.peer.leaving import leave
from mesh.peer.listening import ask_listener, enter_talk, seek_talk
from mesh.peer.modes import require_mode
from mesh.peer.noting import close_note, recall_note, say_note
from mesh.peer.own import clear_posts, keep_own
from mesh.peer.pairing import open_pairing
from mesh.peer.parting import end_listening, require_open, see_ends
from mesh.peer.quieting import require_not_quiet
from mesh.peer.records import VerifiedRecord
from mesh.peer.rights import require_in, require_rank
from mesh.peer.settings import GROUP_SETTINGS, check_setting, set_setting
from mesh.peer.speaking import hand_over, publish, write_draft
from mesh.peer.state import Room, State, Step
from mesh.peer.stating import make_statement
from mesh.peer.talking import accept_talk, decline_talk, offer_talk
from mesh.peer.withdrawing import withdraw
from mesh.phrases import phrase
from mesh.support.posts import Wish, compose
from mesh.upkeep import (
    AddKeeper,
    DropKeeper,
    EndEntering,
    EnterGroup,
    ForgetHome,
    IssueTicket,
    OpenPairing,
    RemoveDevice,
    StartEntering,
    TurnKeeperOff,
    TurnKeeperOn,
)
from mesh.wire import limits
from mesh.wire.codec import encode
from mesh.wire.messages import Flag
from mesh.wire.operations import (
    AgreementBody,
    OpType,
    RankBody,
)
from mesh.wire.text import require_text


def carry_out(state: State, command: Command, step: Step) -> bytes:
    """Carry a command out; return the id that it made, or nothing. LocalError: nothing has changed."""
    match command:
        case CreateGroup():
            return _create(state, command, step)
        case NewInvite():
            return new_invite(state, state.room(command.group), command, step)
        case RevokeInvite():
            revoke(state, state.room(command.group), command, step)
        case StartJoin():
            return start_join(state, command, step)
        case AgreeJoin():
            agree(state, command, step)
        case DropJoin():
            drop_join(state, command.join, step)
        case DecideKnock():
            decide_knock(state, state.room(command.group), command, step)
        case Post():
            return _post(state, state.room(command.group), command, step)
        case Withdraw():
            withdraw(state, state.room(command.group), command, step)
        case MakeStatement():
            return make_statement(state, state.room(command.group), command, step)
        case SayNote():
            return say_note(state, state.room(command.group), command, step)
        case CloseNote():
            close_note(state.room(command.group), command, step)
        case RecallNote():
            recall_note(state, state.room(command.group), command, step)
        case OfferFiles() | GivePiece() | FetchFiles():
            return _files(state, command, step)
        case MarkRead():
            for key in command.keys:
                step.journal.delete(Space.UNREAD, key)
        case KeepOwn():
            keep_own(command, step)
        case ClearPosts():
            clear_posts(state, command, step)
        case ConfirmMember():
            _confirm(state.room(command.group), command.member, step)
        case OfferFork():
            return offer_fork(state, state.room(command.group), command, step)
        case OfferForkAgain():
            return offer_again(state, state.room(command.group), command, step)
        case FollowFork():
            return follow_fork(state, state.room(command.group), command, step)
        case OfferTalk() | AcceptTalk() | DeclineTalk():
            return _talk(state, state.room(command.group), command, step)
        case AskListener() | SeekTalk() | EnterTalk() | EndListening() | SeenListening():
            return _listen(state, state.room(command.group), command, step)
        case DeclineFork():
            decline_fork(state.room(command.group), command, step)
        case KnownAddress():
            state.known[Address(command.address)] = None
            step.dials_changed = True
        case OpenPairing():
            open_pairing(state, command, step)
        case StartEntering() | EnterGroup() | EndEntering():
            _enter(state, command, step)
        case ForgetHome():
            forget_home(state, command.home, step)
        case TurnKeeperOn():
            hosting.turn_on(state, command, step)
        case TurnKeeperOff():
            hosting.turn_off(state, step)
        case IssueTicket():
            return hosting.issue_ticket(state, command, step)
        case _:
            _govern(state, command, step)
    return b""


def _talk(state: State, room: Room, command: OfferTalk | AcceptTalk | DeclineTalk, step: Step) -> bytes:
    """Carry out what is about talking as two."""
    match command:
        case OfferTalk():
            return offer_talk(state, room, command, step)
        case AcceptTalk():
            return accept_talk(state, room, command, step)
        case DeclineTalk():
            decline_talk(state, room, command, step)
    return b""


def _listen(state: State, room: Room, command: ListeningCommand, step: Step) -> bytes:
    """Carry out what is about talks with a listener."""
    match command:
        case AskListener():
            return ask_listener(state, room, command, step)
        case SeekTalk():
            return seek_talk(state, room, command, step)
        case EnterTalk():
            enter_talk(state, room, command, step)
        case EndListening():
            end_listening(state, room, command, step)
        case SeenListening():
            see_ends(room, command, step)
    return b""


def _enter(state: State, command: StartEntering | EnterGroup | EndEntering, step: Step) -> None:
    """Carry out what brings this home into the groups of another."""
    match command:
        case StartEntering():
            start_entering(state, command, step)
        case EnterGroup():
            enter_group(state, command, step)
        case EndEntering():
            end_entering(state, step)


Governing = (
    SetRank
    | HoldBack
    | RemoveMember
    | RemoveDevice
    | LeaveGroup
    | Rekey
    | SetSetting
    | AddKeeper
    | DropKeeper
    | ConfirmGroup
    | SetAgreement
)


def _govern(state: State, command: Governing, step: Step) -> None:
    """Carry out what changes a group's own order."""
    room = state.room(command.group)
    group = room.group
    match command:
        case SetRank():
            _set_rank(state, room, command, step)
        case HoldBack():
            require_in(room)
            raising.hold(state, room, command.member, holds=command.holds, step=step)
        case RemoveMember():
            _remove(state, room, command, step)
        case RemoveDevice():
            require_in(room)
            remove_own_device(state, room, command.device, command.member_seed.reveal(), step)
        case LeaveGroup():
            leave(state, room, command, step)
        case Rekey():
            publish(state, room, rekey(group, step.means()), step)
        case SetSetting():
            set_setting(state, room, command, step)
        case AddKeeper() | DropKeeper():
            require_in(room)
            choosing.set_keeper(state, room, command, step)
        case ConfirmGroup():
            require_in(room)
            confirming.accept(room, step)
            hand_over(state, room, step)
        case SetAgreement():
            _set_agreement(state, room, command, step)


def _create(state: State, command: CreateGroup, step: Step) -> bytes:
    if len(state.rooms) >= limits.GROUPS_MAX:
        raise LocalError("this node is in as many groups as it can hold", do="leave one", code="E-TOO-MANY")
    checked = CreateGroup(
        name=require_text("group's name", command.name, limits.GROUP_NAME_BYTES_MAX),
        about=require_text("description", command.about, limits.ABOUT_BYTES_MAX, lines=True, empty=True),
        topics=tuple(require_text("topic", t, limits.TOPIC_BYTES_MAX) for t in command.topics),
        agreement=require_text("agreement", command.agreement, limits.AGREEMENT_BYTES_MAX, lines=True, empty=True),
        alias=require_text("alias", command.alias, limits.ALIAS_BYTES_MAX),
        suite=command.suite,
        settings=command.settings,
        join_nonce=command.join_nonce,
        member_seed=command.member_seed,
    )
    if len(checked.topics) > limits.TOPICS_MAX:
        raise LocalError(phrase("more than {most} topics", most=limits.TOPICS_MAX), do="name fewer", code="E-TEXT")
    for key, value in checked.settings:
        check_setting(key, value, GROUP_SETTINGS)
    group = found(checked, step.means())
    state.rooms[group.gid] = Room(group)
    step.touch(group.gid, list(group.log.ops))
    return group.gid


def require_may_post(state: State, room: Room, mode: str, wall_ms: int) -> None:
    """LocalError or RefusedError, in words, where nothing may be posted by us in this mode now, whatever it says."""
    require_in(room)
    require_open(state, room)
    require_mode(room.group, mode)
    agreeing.require_yes(room, wall_ms)
    require_not_quiet(room, wall_ms)


def _post(state: State, room: Room, command: Post, step: Step) -> bytes:
    require_may_post(state, room, command.mode, step.now.wall_ms)
    body = compose(
        Wish(
            text=command.text,
            mode=command.mode,
            cw=command.cw,
            topics=command.topics,
            reply_to=command.reply_to or b"",
            expires_s=command.expires_s,
            files=attaching.given_files(state, room.group.gid, command.files) if command.files else (),
            quote=None if command.quote is None else quote_value(command.quote, room.group.gid),
        )
    )
    flags = Flag(0) if command.may_leave else Flag.STAY_HERE
    flags |= Flag.NO_HISTORY if command.no_history else Flag(0)
    source = None if command.quote is None else source_of(command.quote, room.group.gid)
    post = write_draft(state, room, body, flags, step, uid=command.files or None, source=source)
    if command.files:
        attaching.note_written(state, room, command.files, step)
    return post


def _files(state: State, command: OfferFiles | GivePiece | FetchFiles, step: Step) -> bytes:
    """Carry out what is about the files beside posts."""
    match command:
        case OfferFiles():
            room = state.room(command.group)
            require_in(room)
            return attaching.offer_files(state, room, command, step)
        case GivePiece():
            attaching.give_piece(state, command, step)
        case FetchFiles():
            fetching.want_files(state, state.room(command.group), command.post, step)
    return b""


# ---------------------------------------------------------------- order


def _set_rank(state: State, room: Room, command: SetRank, step: Step) -> None:
    require_in(room)
    target = room.group.view.members.get(command.member)
    if target is None:
        raise LocalError("that person is not in the group", code="E-NO-MEMBER")
    if command.rank == target.rank:
        raise LocalError(
            phrase("the rank of {member} is {rank} already", member=target.alias, rank=target.rank.name.lower()),
            code="E-SAME-RANK",
        )
    if target.pk == room.group.own.member_pk:
        terms.step_down(state, room, command, step)
        return
    if command.rank > target.rank:
        terms.require_term(room, step.now.wall_ms)
    _require_may_rank(room, target, command.rank)
    kind = OpType.PROMOTE if command.rank < target.rank else OpType.DEMOTE
    body = RankBody(target=command.member, rank=command.rank)
    publish(state, room, author(room.group, kind, body, step.means()), step)


def _require_may_rank(room: Room, target: Member, new: Rank) -> None:
    """RefusedError, in words, for one whom the rules do not let give this member this rank."""
    raises_newcomer = target.rank is Rank.NEWCOMER and new is Rank.MEMBER
    require_rank(room, Rank.MODERATOR if raises_newcomer else Rank.STEWARD, "change this rank")
    own = room.group.rank
    if new > target.rank and target.rank <= own:
        raise RefusedError(
            phrase(
                "you cannot lower the rank of {member}: it is {rank}, and yours is {own_rank}",
                member=target.alias,
                rank=target.rank.name.lower(),
                own_rank=own.name.lower(),
            ),
            why="one must have a higher rank than whom one lowers, so that no two can lower each other",
            do="ask someone with a higher rank; `mesh group members` shows who has which",
        )
    if new <= own is not Rank.FOUNDER:
        raise RefusedError(
            phrase(
                "you cannot make anybody a {rank}: your own rank is {own_rank}",
                rank=new.name.lower(),
                own_rank=own.name.lower(),
            ),
            why="one can give the ranks below one's own; a founder can give each",
            do="ask someone with a higher rank; `mesh group members` shows who has which",
        )


def _set_agreement(state: State, room: Room, command: SetAgreement, step: Step) -> None:
    """Publish a new version; none where the text is the one that holds, but for white space at its end."""
    require_rank(room, Rank.STEWARD, "change the agreement")
    terms.require_term(room, step.now.wall_ms)
    version, held = room.group.agreement
    text = require_text("agreement", command.text, limits.AGREEMENT_BYTES_MAX, lines=True)
    if text.rstrip() != held.rstrip():
        body = AgreementBody(version=version + 1, text=text)
        publish(state, room, author(room.group, OpType.AGREEMENT, body, step.means()), step)


def _remove(state: State, room: Room, command: RemoveMember, step: Step) -> None:
    require_removable(room, command.member)
    terms.require_term(room, step.now.wall_ms)
    reason = require_text("reason", command.reason, limits.REASON_BYTES_MAX, lines=True, empty=True)
    remove_member(state, room, command.member, reason, step)


def _confirm(room: Room, member: MemberPk, step: Step) -> None:
    """Keep it for this key alone: whoever comes in again comes under another."""
    require_in(room)
    if member not in room.group.others:
        raise LocalError("that person is not in the group", code="E-NO-MEMBER")
    room.verified[member] = step.now.wall_ms
    step.journal.put(Space.VERIFIED, room.group.gid + member, encode(VerifiedRecord(at_ms=step.now.wall_ms)))
    step.journal.make_durable()


def require_removable(room: Room, member: MemberPk) -> None:
    """LocalError or RefusedError unless we may remove this member."""
    require_in(room)
    target = room.group.view.members.get(member)
    if target is None:
        raise LocalError("that person is not in the group", code="E-NO-MEMBER")
    if target.pk == room.group.own.member_pk:
        raise LocalError("nobody removes themself", do="`mesh group leave` is the way", code="E-USAGE")
    if target.rank <= room.group.rank:
        raise RefusedError(
            phrase(
                "you cannot remove {member}: their rank is {rank}, and yours is {own_rank}",
                member=target.alias,
                rank=target.rank.name.lower(),
                own_rank=room.group.rank.name.lower(),
            ),
            why="one must have a higher rank than whom one removes, so that no two can remove each other",
            do="ask someone with a higher rank; `mesh group members` shows who has which",
        )
