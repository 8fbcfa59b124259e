"""Attacks on the support layer: what is stated, what is said under seal, and what may leave a group.

They are beyond the sixty of the design's list: it was written before there was a support layer.
"""

from mesh.commands import Rank
from mesh.groups.messaging import Wording, seal_message
from mesh.groups.notes import seal_note
from mesh.journal import Journal
from mesh.support.ladder import quiet_id
from mesh.wire.codec import encode
from mesh.wire.messages import Kind, StatementBody
from mesh.wire.notes import NoteTag, NoteText, WordKind, WordNote
from mesh.wire.sessions import StatementsBody
from mesh.wire.statements import ConsentValue, Form, PinValue, QuietValue
from simulations.checks import blamed
from tests.node.local.test_messages import say
from tests.node.local.test_reports import NOTE, five, held_by, listed, report
from tests.node.local.test_share import CANARY, Five, exported, words_hash
from tests.node.local.test_shelf import states
from tests.peer.forgery import Forger
from tests.peer.test_noting import appeal, group, heard, notes, says
from tests.peer.test_restating import asked_of, pinned
from tests.peer.test_talking import note_of


def test_attack_61_statement_under_an_old_number() -> None:
    """Juniper was removed. She signs under a number from before the cut, and sorrel's changed program hands it on."""
    world, gid, (wren, juniper, sorrel, _), post = pinned(3)
    forger = Forger(juniper, gid)
    juniper.off()
    world.run(3)
    wren.remove(gid, wren.key_of(gid, "juniper"))
    world.run(20)
    forger.group.set_own(Journal(), mseq=1)  # the next number is 2, which was something else
    wording = Wording(
        uid=forger.entropy.draw(16),
        kind=Kind.STATEMENT,
        parents=(),
        ts_ms=world.instant(wren.node).wall_ms,
        flags=0,
        body=encode(StatementBody(form=Form.PIN, subject=bytes(16), lasts_s=0, value=encode(PinValue(holds=True)))),
    )
    assert forger.group.epoch is not None
    signed = seal_message(forger.group, forger.group.epoch, wording, forger.means()).signed
    ticket = asked_of(world, gid, wren, sorrel)
    Forger(sorrel, gid).tells(wren, StatementsBody(ticket=ticket, after=b"", messages=[signed]))
    world.run(10)
    assert wren.pinned(gid) == [post]


def test_attack_62_reported_steward_opens_the_report() -> None:
    """Sorrel is a steward, and it is she who is reported: she learns neither what was said nor who said it."""
    world, gid, people, (wren, juniper, sorrel, tansy, _) = five(4)
    bad = say(sorrel, "an ugly word")
    world.run(5)
    report(tansy, bad)
    world.run(60)
    assert [seen["text"] for desk in (wren, juniper) for seen in listed(desk)] == [NOTE, NOTE]
    assert listed(sorrel) == []
    assert not any(NOTE.encode() in row for row in held_by(people[2]))
    assert notes(people[2], gid) == []


def test_attack_63_quiet_for_one_who_is_no_junior() -> None:
    """Juniper moderates. Her changed program asks all of them to be quiet, and herself."""
    world, gid, people, _ = five(5)
    wren, juniper, sorrel, tansy, alder = people
    wren.rank(gid, juniper, Rank.MODERATOR)
    wren.rank(gid, tansy, Rank.MODERATOR)
    world.run(20)
    forger = Forger(juniper, gid)
    others = [wren, sorrel, tansy, alder]
    now = world.instant(juniper.node).wall_ms
    for target in people:
        value = QuietValue(made_ms=now, member=target.member(gid), for_s=86_400, cuts=[])
        states(forger, others, Form.QUIET, quiet_id(juniper.member(gid), value), value)
    world.run(10)
    for person in others:
        assert [quiet.member for quiet in person.quiets(gid)] == [alder.member(gid)], "alder alone is her junior"


def test_attack_64_consent_by_another_than_the_author() -> None:
    """Juniper states that what tansy said may leave the group, by anybody's hand."""
    there = Five(7)
    said = there.says()
    forger = Forger(there.people[1], there.gid)
    value = ConsentValue(words=words_hash(there.wren, there.gid, said), everyone=True, to=[])
    states(forger, [there.people[0], *there.people[2:4]], Form.CONSENT, bytes.fromhex(str(said["id"])), value)
    there.world.run(5)
    assert exported(there.wren) == exported(there.sorrel) == []
    assert exported(there.tansy) == [CANARY], "her own words are hers to take"


def test_attack_65_note_said_again_by_another() -> None:
    """Sorrel cannot open what tansy tells wren. She says the same bytes as her own, and would be answered for it."""
    world, gid, (wren, _, sorrel, tansy) = group(6)
    uid = b"u" * 16
    author = Forger(tansy, gid)
    plain = encode(NoteText(tag=NoteTag.APPEAL, id=b"n" * 16, value=appeal("what only wren may read")))
    body = seal_note(tansy.group(gid), [wren.member(gid)], uid, plain, author.means())
    thief = Forger(sorrel, gid)
    thief.hands(wren, thief.message(Kind.NOTE, body, uid=uid))
    assert heard(wren, gid) == []
    author.hands(wren, author.message(Kind.NOTE, body, uid=uid))
    assert [(note.by, note.mine) for note in notes(wren, gid)] == [(tansy.member(gid), False)]
    assert blamed(world) == []


def test_attack_66_word_of_a_moderator_by_a_member() -> None:
    """Tansy is a member like the one whom she tells, under seal, that they were asked to be quiet."""
    world, gid, (wren, juniper, sorrel, tansy) = group(7)
    wren.rank(gid, sorrel, Rank.MEMBER)
    world.run(20)
    word = encode(WordNote(kind=WordKind.QUIET, about=b"", text="Nobody here wants you."))
    forger = Forger(tansy, gid)
    plain = encode(NoteText(tag=NoteTag.WORD, id=b"w" * 16, value=word))
    forger.hands(sorrel, note_of(forger, sorrel, plain))
    world.run(2)
    assert notes(sorrel, gid) == []
    says(juniper, gid, [sorrel], word, NoteTag.WORD)
    world.run(10)
    assert [note.by for note in notes(sorrel, gid)] == [juniper.member(gid)], "of a steward it is one"
