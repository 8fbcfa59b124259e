"""Every limit on what comes from outside, with its unit and where it comes from.

"Ours" marks a guess that a scenario or a benchmark may correct.
"""

from typing import Final

# ---- frames and bodies (protocol.md §7, network.md §2)
MESSAGE_BYTES_MAX: Final = 64 * 1024  # the padded body of one message
OPERATION_BYTES_MAX: Final = 64 * 1024
ENVELOPE_BYTES_MAX: Final = 288 * 1024
WELCOME_CHUNK_BYTES_MAX: Final = 256 * 1024  # protocol.md §12
LINK_PAYLOAD_BYTES_MAX: Final = 512 * 1024
KNOCK_PADDED_BYTES: Final = 4096  # protocol.md §12
RETURN_PADDED_BYTES: Final = 4096  # protocol.md §9
SESSION_CHUNK_BYTES: Final = 256 * 1024  # our own sync messages stay below this
SESSION_BYTES_MAX: Final = LINK_PAYLOAD_BYTES_MAX
WELCOME_CHUNKS_MAX: Final = 64  # ours: 16 MiB of operations

# ---- groups
MEMBERS_MAX: Final = 1000  # ours; the suite's device limit binds first
DEVICES_MAX: Final = {1: 1000, 2: 192}  # by suite, protocol.md §2
DEVICES_PER_MEMBER_MAX: Final = 4  # protocol.md §4
FORKS_PER_DEVICE_MAX: Final = 4  # offers of a successor; ours
DEPS_MAX: Final = 16  # protocol.md §4
PENDING_OPS_MAX: Final = 512  # operations that wait for their deps, per group; ours
PENDING_OPS_BYTES_MAX: Final = 16 * 1024 * 1024  # and what they take with their wraps; ours
PENDING_MESSAGES_MAX: Final = 1024  # messages that wait for operations, per group; ours
GROUPS_MAX: Final = 256  # groups on one node; ours
JOINS_MAX: Final = 32  # attempts to join at once; ours
KNOCKS_MAX: Final = 64  # knocks that wait for a person, per group; ours

# ---- several devices of one person (protocol.md §18; ours)
HOMES_MAX: Final = 16  # homes of one person that one of them knows
DEVICE_NAME_BYTES_MAX: Final = 64
PAIRING_MS: Final = 15 * 60_000  # how long a device code is good for
PAIR_EPOCHS_MAX: Final = 64  # epochs of a group that a further device can meet others at
PAIR_CHUNKS_MAX: Final = WELCOME_CHUNKS_MAX  # parts of one answer, 256 KiB each

# ---- messages and ratchets (protocol.md §7)
CHAIN_LENGTH_MAX: Final = 4096  # messages per device and epoch; the sender re-keys first
SKIPPED_KEYS_MAX: Final = 4096  # stored keys of one chain
SKIPPED_KEYS_GROUP_MAX: Final = 65_536  # stored keys of one group, oldest epoch first
EPOCH_MESSAGES_MAX: Final = 2000  # re-key after so many (protocol.md §5)
EPOCH_DAYS_MAX: Final = 7
PARENTS_MAX: Final = 4
HEADS_MAX: Final = 16
MSEQ_MAX: Final = 2**53 - 1  # also fits a JSON number
MSEQ_JUMP_MAX: Final = 65_536  # a device's next message may skip so many; ours
KEM_NUMBER_RISE_MAX: Final = 64  # protocol.md §3
KEMS_MAX: Final = 256  # KEM keys of our own that are kept in a group, the newest; ours

PROOFS_MAX: Final = 16  # devices of a group of which two messages under one number are kept; ours
SIGNED_KEPT_MAX: Final = 4096  # newest signed messages that a node remembers, of all groups, to compare with; ours
SIGNED_KEPT_BYTES_MAX: Final = 4 * 1024 * 1024

# ---- sealed notes (protocol.md §7), and talking as two
NOTE_WRAPS: Final = DEVICES_PER_MEMBER_MAX  # always so many, whoever it is for
NOTE_PLAIN_BYTES: Final = 8192  # always so long, whatever it says; ours
NOTE_VALUE_BYTES_MAX: Final = NOTE_PLAIN_BYTES - 32  # padding, tag and id stand beside it
NOTE_SEALED_BYTES: Final = 24 + NOTE_PLAIN_BYTES + 16  # nonce, text, tag
NOTE_KEYS_MAX: Final = 32  # newest KEM keys with which a note is tried: each costs four times opening a wrap; ours
NOTES_OF_A_MEMBER_MAX: Final = 64  # notes of a member that are tried, of those that they said in one hour; ours
NOTES_TRIED_MAX: Final = 1024  # notes of a member that are tried, in an hour of ours, from whenever they are; ours
NOTES_KEPT_MAX: Final = 512  # notes of one group, of others and our own; of whoever has most the oldest goes; ours
NOTE_READERS_MAX: Final = 64  # members to whom one thing is said under seal; ours
REPORTED_POSTS_MAX: Final = 8  # posts that a report shows; ours
REPORTED_TEXT_BYTES_MAX: Final = 4096  # of a post that is too long to go as it was signed; ours
INTRODUCTION_BYTES_MAX: Final = 512  # a question for a group, and the words of an answer; ours
ROOM_CODE_BYTES_MAX: Final = 72 + 1 + 4096  # an invite code and the fragment with its addresses
WORD_TEXT_BYTES_MAX: Final = 1024  # what a report, an appeal, a reason or an answer says; ours
NOTE_ADDRESSES_MAX: Final = 8  # of whoever asks; ours
TALKS_PER_MEMBER_MAX: Final = 4  # offers of one member that are kept, declined ones too, until they run out; ours
TALKS_MAX: Final = 64  # talks of one group, those asked for and those offered; ours

# ---- the ladder of sanctions
QUIET_S_MIN: Final = 60
QUIET_S_MAX: Final = 14 * 86_400  # longer ones are stated anew, where all can see it; ours

# ---- text (bytes of UTF-8)
ALIAS_BYTES_MAX: Final = 64
GROUP_NAME_BYTES_MAX: Final = 128
ABOUT_BYTES_MAX: Final = 2048
AGREEMENT_BYTES_MAX: Final = 16 * 1024
POST_TEXT_BYTES_MAX: Final = 32 * 1024
WARNING_BYTES_MAX: Final = 128
TOPIC_BYTES_MAX: Final = 64
TOPICS_MAX: Final = 16
REASON_BYTES_MAX: Final = 1024
SETTING_KEY_BYTES_MAX: Final = 32
SETTING_VALUE_BYTES_MAX: Final = 1024  # a keeper's ticket with its addresses is the longest
SETTINGS_MAX: Final = 32

# ---- invites (protocol.md §12)
INVITE_USES_MAX: Final = 100
INVITE_HOURS_MAX: Final = 24 * 90
APPROVALS_MAX: Final = 8
ADDRESS_BYTES_MAX: Final = 256
ADDRESSES_MAX: Final = 16
CODE_FRAGMENT_BYTES_MAX: Final = 4096

# ---- gossip and sync (ours, until the gossip issue measures them)
TOPICS_PER_LINK_MAX: Final = 4096
SEEN_FRAMES_MAX: Final = 65_536
FRONTIER_DEVICES_MAX: Final = 4096
FRONTIER_GAPS_MAX: Final = 1024  # separate ranges beyond the contiguous maximum, per device
WANT_RANGES_MAX: Final = 256
EPOCH_CHANGES_MAX: Final = 128  # remembered per device, to tell newcomers what was not for them
WANT_MESSAGES_MAX: Final = 512  # bodies asked of one peer in one request
STATE_HEADS_MAX: Final = 1024  # heads that a state or a question names; one who forks without end is not followed
STORED_IDS_MAX: Final = 1024
SHORT_IDS_MAX: Final = 512  # ids of frames in one IHAVE, WANT, PRUNE or GRAFT
RECEIPT_DEVICES_MAX: Final = 256  # whose messages one receipt confirms
RECEIPT_SPANS_MAX: Final = 16  # separate ranges of one device in it, the newest

# ---- reconciling sets (ours; the bars of network.md §8 are met with these)
RANGE_FRAME_BYTES_MAX: Final = 64 * 1024  # a question, and an answer
RANGES_MAX: Final = 4096  # of a question or an answer
RANGE_LISTED_MAX: Final = 4096  # short ids of one range: 32 KiB, so that an answer holds one range at least
RANGE_QUESTIONS_MAX: Final = 4096  # that one reconciliation asks in all: some 20 million differences
RANGE_STEPS_MAX: Final = 2**20  # ranges that one reconciliation reads and makes in all: some seconds of work

# ---- keepers (protocol.md §8; ours)
KEEPERS_MAX: Final = 4  # of one group
TICKET_ADDRESSES_MAX: Final = 4
TICKET_NOTE_BYTES_MAX: Final = 64
TICKET_FRAGMENT_BYTES_MAX: Final = 640
QUOTA_BYTES_MAX: Final = 2**40
KEPT_TOPICS_MAX: Final = 64  # of one account (protocol.md §8)
KEPT_ASIDE_TOPICS_MAX: Final = 24  # that one member has kept beside what their group leaves; ours
KEPT_ASIDES_MAX: Final = 12  # members of one group who have something kept so; ours
KEPT_TOPICS_ALL_MAX: Final = 3072  # of all accounts: each link is asked whether it names one of them
KEPT_FRAMES_MAX: Final = 262_144  # of all accounts: what each is, and since when, stands in memory
KEPT_HOLDERS_MAX: Final = 16  # accounts that keep one and the same frame
KEPT_DAYS_MAX: Final = 90
KEPT_WANT_MAX: Final = 8192  # frames asked of a keeper at once
KEPT_KNOCKS_MAX: Final = 64  # on one topic, the newest
KEPT_PREVIEWS_MAX: Final = 4
KEPT_CALLS_MAX: Final = 16

# ---- history for newcomers (ours)
HISTORY_LAST_MAX: Final = 500  # messages that the setting may name
HISTORY_DAYS_MAX: Final = 90  # or days
HISTORY_MESSAGES_MAX: Final = 512  # in one answer
HISTORY_ROWS_MAX: Final = 1024  # that are read for one answer
HISTORY_PAGES_MAX: Final = 256  # answers that are taken from one who hands on: 64 MiB

# ---- retention (ours)
KEEP_HOURS_MAX: Final = 24 * 3660  # ten years; else a group keeps what is said for ever
EXPIRES_S_MAX: Final = 366 * 86_400  # a post's own time

# ---- one's own (ours)
MUTED_WORD_BYTES_MAX: Final = 64
REFLECTION_BYTES_MAX: Final = 16 * 1024
REFLECTIONS_MAX: Final = 16_384
MUTED_MAX: Final = 512  # words, and as many topics: each is looked for in each post that is shown

# ---- statements (protocol.md §7; ours)
STATEMENT_SUBJECT_BYTES_MAX: Final = 32  # an id
STATEMENT_VALUE_BYTES_MAX: Final = 4096
MEETING_NOTE_BYTES_MAX: Final = 1024
STATEMENTS_OF_PAGE_MAX: Final = 512  # handed on in one answer
STATEMENT_PAGES_MAX: Final = 256  # answers that are taken from one who hands on, over a link: 64 MiB
TAKEN_BACK_MAX: Final = 256  # posts that one device took back, of which the names are kept, the newest: 24 B each; ours
GAVE_WAY_MAX: Final = 1024  # statements of one device that were replaced, of which the names are kept: 16 B each
STATEMENTS_UNKNOWN_MAX: Final = 32  # of one device that are kept, of all forms that are not known here together
RESOURCES_MAX: Final = 32  # of one device on the shelf
RESOURCE_TITLE_BYTES_MAX: Final = 128
RESOURCE_NOTE_BYTES_MAX: Final = 512
RESOURCE_TEXT_BYTES_MAX: Final = 2048
LINK_BYTES_MAX: Final = 512
LANGUAGE_BYTES_MAX: Final = 16
MILESTONES_MAX: Final = 8  # of one device that stand
MILESTONE_TEXT_BYTES_MAX: Final = 160
CONGRATULATION_TEXT_BYTES_MAX: Final = 160
CIRCLES_MAX: Final = 4  # of one device that are kept; one at a time is under way in a group
CIRCLE_QUESTION_BYTES_MAX: Final = 512
CIRCLE_SEATS_MAX: Final = 32  # people in one circle
CIRCLE_ROUNDS_MAX: Final = 4
CIRCLE_TURN_S_MIN: Final = 60
CIRCLE_TURN_S_MAX: Final = 86_400
CIRCLE_LASTS_S_MIN: Final = 600
CIRCLE_LASTS_S_MAX: Final = 7 * 86_400  # others' posts wait no longer
CIRCLE_CLOSING_BYTES_MAX: Final = 1024
CONSENTS_OF_POST_MAX: Final = 16  # askers who may take one post out of the group, beside "everyone"

# ---- consent to share (protocol.md §7; ours)
PURPOSE_BYTES_MAX: Final = 256  # what a post is wanted for
QUESTIONS_OF_MEMBER_MAX: Final = 64  # of one member that are kept in a group
QUOTE_TEXT_BYTES_MAX: Final = 8 * 1024  # from another group: with the longest post and its files it fits a message

# ---- listeners (protocol.md §11; ours)
LISTENER_TOPICS_MAX: Final = 8  # of one offer to listen
LISTEN_MINUTES_MIN: Final = 5
LISTEN_MINUTES_MAX: Final = 180
LISTENS_MAX: Final = 32  # of one group: asked for, and asked of us
ASKINGS_MAX: Final = 4  # askings of one member that are heard, one after the other, while one may stand
LISTEN_SLIP_BYTES_MAX: Final = 1_280  # a code, sealed to one device
LISTEN_ADDRESSES_MAX: Final = 4  # of whoever asks, where no keeper carries the talk

# ---- files beside a post (protocol.md §7; ours)
CHUNK_BYTES: Final = 64 * 1024  # before it is sealed: one fits a link's batch, and one that was lost is cheap
FILES_OF_POST_MAX: Final = 4
FILES_OF_POST_BYTES_MAX: Final = 32 * 1024 * 1024  # together: their lists of chunks and the longest text fit a message
CHUNKS_OF_FILE_MAX: Final = 528  # a padded file of 32 MiB
FILE_NAME_BYTES_MAX: Final = 255
CHUNKS_ASKED_MAX: Final = 16  # of one peer in one request: 1 MiB, what a link's queue holds
FILE_PIECE_BYTES_MAX: Final = 512 * 1024  # that a command hands over at once: in base64 it fits the socket's line
UPLOADS_MAX: Final = 8  # posts whose files are being handed over at one time

# ---- timing, milliseconds
CLOCK_AHEAD_MS_MAX: Final = 120_000  # a message from further in the future is shown as now; ours
