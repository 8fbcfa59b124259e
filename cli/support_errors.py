"""The part of the catalogue that is about the support layer: flags, pins, and what comes after them."""

from collections.abc import Mapping
from typing import Final

from cli.entry import Entry

SUPPORT_ERRORS: Final[Mapping[str, Entry]] = {
    "E-YOURS": Entry(
        "The message is your own.",
        "A flag says that one would rather not meet what another said.",
        "`mesh message withdraw` takes back what you said yourself.",
    ),
    "E-NOBODY-TO-TELL": Entry(
        "There is no steward or founder who could be told.",
        "It goes to none of those whom it is about. Nothing was sent.",
        "`mesh block` stops it for you. `mesh group leave` goes, and `mesh group fork` goes on without them.",
    ),
    "E-NEWCOMER-PACE": Entry(
        "You have said as much in this hour as newcomers do.",
        "For the first days one listens and finds one's way. Others' nodes would show more of it closed.",
        "Say it a little later. A moderator can make you a member before.",
    ),
    "E-QUIET": Entry(
        "You have been asked to be quiet in this group for a while.",
        "Others' nodes would show your words closed. You can read on, and it ends by itself.",
        "`mesh log GROUP` shows until when and why. `mesh appeal GROUP` asks a steward to look at it again.",
    ),
    "E-NOT-QUIET": Entry(
        "Nobody has asked them to be quiet, or it is over.",
        "There is nothing that could be ended.",
        "`mesh log` shows what was done.",
    ),
    "E-NO-SANCTION": Entry(
        "No step was taken with you here.",
        "One can appeal against a note, a folded message, or being asked to be quiet.",
        "`mesh log` shows what was done. `mesh report` tells stewards of a message.",
    ),
    "E-PINS": Entry(
        "As many messages are pinned as there can be.",
        "Where everything comes first, nothing does.",
        "Take one down: `mesh group pin GROUP ID --remove`.",
    ),
    "E-MEETING": Entry(
        "That is no time at which a group could meet.",
        "Each member's node works out from day, time and zone when that is for them.",
        "Name a day that comes, a time and a zone: --day tue --time 19:00 --zone Europe/London.",
    ),
    "E-NO-THING": Entry(
        "There is nothing of that id here.",
        "It may not have come yet, or was taken down since.",
        "`mesh shelf list`, `mesh milestone list` and `mesh reports` show the ids; the first six digits are enough.",
    ),
    "E-MILESTONES": Entry(
        "There is no room for more milestones of yours.",
        "Every member's node keeps all that stand.",
        "`mesh milestone reset` takes one down.",
    ),
    "E-NOT-YOUR-MILESTONE": Entry(
        "It is not yours to take down.",
        "Milestones belong to those who put them up.",
        "`mesh mute` or `mesh block` leaves them out for you alone.",
    ),
    "E-NOT-INVITED": Entry(
        "Its author did not ask for that.",
        "A milestone is its author's, and some are best left quiet.",
        "Where `mesh milestone list` says that they are welcome, they are.",
    ),
    "E-STAYS-HERE": Entry(
        "Its author has not let that message leave its group.",
        "What is said in a group stays there, unless whoever said it agrees.",
        "Ask them, under seal: `mesh share ask`. Nobody else learns of it.",
    ),
    "E-OWN-WORDS": Entry(
        "The words are your own.",
        "Nobody else is asked about them.",
        "Quote or export them as they are.",
    ),
    "E-NO-ASKER": Entry(
        "Nobody of that name has asked for the message.",
        "Who asks can be named so that the others do not learn who it is.",
        "Let everyone take it with --to all, or have them ask.",
    ),
    "E-DATE": Entry(
        "That is no date.",
        "A date is written as year, month and day, so that all read it alike.",
        "Write it like 2027-03-31.",
    ),
    "E-LISTEN-OFF": Entry(
        "This group has no listeners.",
        "Its stewards have switched that off, or you are two here already; every honest node keeps to it.",
        "`mesh talk GROUP MEMBER` asks one member to talk as two.",
    ),
    "E-LISTEN-DIRECT": Entry(
        "No keeper of the group carries such a talk.",
        "Your two nodes would link with each other. Whoever watches the network sees that.",
        "Add a keeper with `mesh keeper add`, or go on with --direct.",
    ),
    "E-LISTEN-ASKED": Entry(
        "You have asked for a listener in this group already.",
        "One talk at a time leaves somebody free for others.",
        "`mesh listen list` shows how it stands; `mesh listen end` takes it back.",
    ),
    "E-LISTEN-TAKEN": Entry(
        "Another was there before you.",
        "Whoever says yes first is the one. That you were ready counts all the same.",
        "Nothing more is needed.",
    ),
    "E-NO-LISTENER": Entry(
        "Nobody in this group offers to listen to that now.",
        "Offers name topics and hours, and lapse after a time.",
        "Ask with another topic or none, or at another time. `mesh listen list` shows who offers.",
    ),
    "E-NO-LISTEN": Entry(
        "There is no such talk with a listener, or not any more.",
        "What was asked runs out after two to three hours, and a talk ends when either ends it.",
        "`mesh listen list` shows what there is.",
    ),
    "E-HOURS": Entry(
        "These are no hours of the day.",
        "An offer to listen is for hours that begin at one time and end at another.",
        "Write them like 18:00-22:30; left out, it is for any time.",
    ),
    "E-CIRCLE-ON": Entry(
        "A circle is under way in this group.",
        "There is one at a time, so that all know who speaks.",
        "`mesh circle join` takes part in it. Open yours when it is over.",
    ),
    "E-NO-CIRCLE": Entry(
        "No circle is under way in this group.",
        "It may be over, or none was opened.",
        "`mesh circle open` opens one; `mesh circle show` shows the last one.",
    ),
    "E-CIRCLE-FULL": Entry(
        "All seats of the circle are taken.",
        "Each who sits in it has a turn.",
        "Listen to this one, and join the next.",
    ),
    "E-NO-SEAT": Entry(
        "You do not sit in this circle.",
        "Who sits in it has a turn, and can pass.",
        "`mesh circle join` takes part.",
    ),
    "E-NOT-YOUR-TURN": Entry(
        "It is not your turn, or you have had it.",
        "In a circle one speaks, and the others listen.",
        "`mesh circle show` says who speaks, and who comes next.",
    ),
    "E-CIRCLE-LED": Entry(
        "The circle is not yours to move on or to close yet.",
        "Who opened it does that, or a moderator; others in it when the soft timer is over. So nobody is hurried.",
        "`mesh circle show` says when that is.",
    ),
    "E-CIRCLE-ALONE": Entry(
        "Nobody else sits in the circle yet.",
        "It is for two at least: while it goes on, the others' posts wait.",
        "Begin when somebody has joined.",
    ),
    "E-CIRCLE-OVER": Entry(
        "All have had their turn.",
        "There is nobody left to move on to.",
        "`mesh circle close` ends the circle, with closing words if you like.",
    ),
    "E-SHELF-FULL": Entry(
        "There is no room for more of yours on the shelf.",
        "Every member's node keeps all that stands there.",
        "`mesh shelf retire` takes one off.",
    ),
    "E-NOT-YOUR-RESOURCE": Entry(
        "The resource is another member's.",
        "Its author takes it off the shelf, or a moderator, steward or founder.",
        "Ask one of them.",
    ),
    "E-AGREE-FIRST": Entry(
        "The agreement has a new version that you have not said yes to.",
        "This group wants that before you post; you can read as before.",
        "`mesh group agreement show GROUP` says what changed, and `mesh group agreement accept GROUP` says yes.",
    ),
    "E-TERM": Entry(
        "A term cannot last that long here.",
        "The group has set how long, for all who serve.",
        "Name fewer days, or change `steward-term` with `mesh group set`.",
    ),
    "E-TERM-OVER": Entry(
        "Your term in this group is over.",
        "Others go on, and your own node holds you to it.",
        "`mesh steward term GROUP --end` steps down; --renew begins a new term.",
    ),
    "E-NO-STEWARD": Entry(
        "You are no steward of this group.",
        "Only founders and stewards serve for a term.",
        "`mesh stewards GROUP` shows who is one.",
    ),
    "E-LAST-STEWARD": Entry(
        "You are the last who has this rank.",
        "Without one, nobody could do for the group what you can.",
        "Ask somebody to share it, then make them one with `mesh group rank`.",
    ),
    "E-NO-ROOM": Entry(
        "You are in no private room of this group.",
        "Founders and stewards have one if one of them opens it.",
        "`mesh stewards open GROUP` opens it, or brings you there.",
    ),
    "E-ROOM": Entry(
        "There is a room already, and you are asked in.",
        "Two rooms would part those who serve.",
        "`mesh stewards open GROUP` brings you there.",
    ),
    "E-HANDOVER": Entry(
        "A steward cannot make another one.",
        "One gives the ranks below one's own; a founder can give each.",
        "Ask a founder to do it first; `mesh stewards GROUP` shows who is one.",
    ),
}
