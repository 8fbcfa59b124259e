"""One who was removed has changed their program and rewrites their past, on real processes: nothing comes of it.

All that they push is signed with true keys and fits what they had seen: the others take it into their operations, or
it would prove nothing, and judge it.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.people import LOOPBACK, Person, record, records, text, wait_for
from mesh.commands import Rank
from mesh.crypto.keys import public_key
from mesh.groups.authoring import Authored, admit, author, rekey, remove
from mesh.groups.envelopes import seal_operation
from mesh.groups.group import Group, Means
from mesh.groups.receiving import receive_op
from mesh.identity import fingerprints
from mesh.identity.keys import member_seed
from mesh.ids import MemberPk
from mesh.journal import Journal
from mesh.node.chance import HpkeSealer, OsEntropy
from mesh.node.home import Home
from mesh.wire.operations import LeaveBody, OpType
from tests.e2e.conftest import GROUP, Cast
from tests.e2e.modified import FRAMES
from tests.e2e.stores import group_of, store_of
from tests.groups.joiners import invite_body, joiner

NOW_MS = 1_800_000_000_000  # of no consequence: operations carry no time


def test_back_dated_operations_of_a_removed_member_change_nothing(cast: Cast, tmp_path: Path) -> None:
    """Tansy, a moderator, is removed while away; then adds a key of theirs, removes whom they let in, and leaves."""
    wren, juniper, tansy, rowan = cast("wren", "juniper", "tansy", "rowan")
    for person in (wren, juniper, tansy, rowan):
        person.up()
    wren.mesh("group", "create", GROUP)
    for name, inviter in (("juniper", wren), ("tansy", wren)):
        {"juniper": juniper, "tansy": tansy}[name].join(text(inviter.mesh("invite", "new", GROUP), "code"))
    wren.mesh("group", "rank", GROUP, "tansy", "moderator")
    wait_for(lambda: ranks(tansy).get("tansy") == "moderator", "tansy to know their rank", 20)
    rowan.join(text(tansy.mesh("invite", "new", GROUP), "code"))
    stay = (wren, juniper, rowan)
    wait_for(lambda: len({state_hash(person) for person in (*stay, tansy)}) == 1, "all to have all", 30)
    tansy.down()
    wren.mesh("group", "remove", GROUP, "tansy", "--yes")
    wait_for(lambda: all("tansy" not in ranks(person) for person in stay), "all to know of the removal", 20)
    wait_for(lambda: len({state_hash(person) for person in stay}) == 1, "all to have all", 20)
    before = ranks(wren)

    forged, frames = rewrite(tansy)
    bag = tmp_path / "frames"
    bag.write_text("\n".join(raw.hex() for raw in frames), encoding="ascii")
    wren.down()
    with_it = taken_in(stored_group(wren), forged)
    wren.up()
    with running_modified(tansy, bag):
        wait_for(lambda: {state_hash(person) for person in stay} == {with_it}, "all to have taken it in", 60)
        for person in stay:
            person.post(GROUP, f"after, {person.name}")
        for person in stay:
            person.sees(GROUP, *(f"after, {other.name}" for other in stay))
            assert ranks(person) == before, "who is in is as before"
        wait_for(lambda: all(person.group(GROUP)["complete"] for person in stay), "one key for all", 30)

    for person in stay:
        person.down()
        group = stored_group(person)
        assert all(authored.op.op_id in group.log for authored in forged), "it really came, and was judged"
        assert group.epoch is not None
        assert set(group.recipients(group.epoch)) == set(group.view.devices)
        assert len(group.view.devices) == len(stay)


def rewrite(tansy: Person) -> tuple[list[Authored], list[bytes]]:
    """Make what tansy would have had them believe, on what tansy had seen; return the operations and their frames."""
    means = Means(entropy=OsEntropy(), sealer=HpkeSealer(), journal=Journal(), wall_ms=NOW_MS)
    group = stored_group(tansy)
    again = joiner("tansy again", group.gid, group.suite, HpkeSealer())
    rowan = member(group, "rowan")
    busy = [
        admit(group, again.asks(group.gid, None, rank=Rank.MEMBER, agreement=group.founding.agreement), means),
        author(group, OpType.INVITE, invite_body(b"s" * 16, uses=100), means),
        remove(group, rowan, [], "", means),
        rekey(group, means),
    ]
    fork = stored_group(tansy)
    root = Home.at(tansy.home).open_root(f"the passphrase of {tansy.name}")
    seed = member_seed(root, fork.own.join_nonce).reveal()
    gone = author(fork, OpType.LEAVE, LeaveBody(erase=False), means, member_seed=seed)
    # The keys that opened what was said before the removal are forgotten by now: it goes under the key made here.
    assert group.epoch is not None
    keys = group.epochs[group.epoch]
    farewell = seal_operation(gone.op.signed, keys.op_key, keys.pub_seed, public_key(keys.pub_seed), bytes(24))
    return [*busy, gone], [*(frame for authored in busy for _, frame in authored.frames), farewell]


def taken_in(group: Group, forged: list[Authored]) -> str:
    """Return the state hash of a group once it has taken these in, who is in being as before."""
    means = Means(entropy=OsEntropy(), sealer=HpkeSealer(), journal=Journal(), wall_ms=NOW_MS)
    members = group.view.members
    for authored in forged:
        receive_op(group, authored.op.signed, authored.wraps, means)
    assert group.view.members == members
    return fingerprints.state_hash(group.gid, members, group.log.heads).hex()


def stored_group(person: Person) -> Group:
    """Return the group from the store of somebody whose node is down."""
    with store_of(person) as store:
        return group_of(store)


def member(group: Group, alias: str) -> MemberPk:
    """Return who goes by this alias."""
    (found,) = [pk for pk, member in group.view.members.items() if member.alias == alias]
    return found


@contextmanager
def running_modified(person: Person, bag: Path) -> Iterator[None]:
    """Run somebody's node with the changed program."""
    person.env[FRAMES] = str(bag)
    process = person.begin("up", "--listen", LOOPBACK, "--json", program="tests.e2e.modified")
    try:
        assert process.stdout is not None
        assert '"ready"' in process.stdout.readline()
        yield
    finally:
        process.terminate()
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def ranks(person: Person) -> dict[str, str]:
    """Return who is in, and at what rank, as somebody's node has it."""
    return {text(m, "alias"): text(m, "rank") for m in records(person.mesh("group", "members", GROUP), "members")}


def state_hash(person: Person) -> str:
    """Return the short name of all that somebody's node holds of the group."""
    return text(record(person.mesh("group", "show", GROUP), "group"), "state_hash")
