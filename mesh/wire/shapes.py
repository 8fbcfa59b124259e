"""The lengths of ids and texts, as annotations that the codec checks."""

from typing import Annotated

from msgspec import Meta

from mesh.ids import DeviceId, DevicePk, GroupId, HomeId, InvitePk, MemberPk, MsgId, OpId, PostId
from mesh.wire import limits


def _exactly(count: int) -> Meta:
    return Meta(min_length=count, max_length=count)


Bytes8 = Annotated[bytes, _exactly(8)]
Bytes16 = Annotated[bytes, _exactly(16)]
Bytes24 = Annotated[bytes, _exactly(24)]
Bytes32 = Annotated[bytes, _exactly(32)]
Bytes64 = Annotated[bytes, _exactly(64)]
Group = Annotated[GroupId, _exactly(32)]
Op = Annotated[OpId, _exactly(32)]
Msg = Annotated[MsgId, _exactly(32)]
Home = Annotated[HomeId, _exactly(16)]
PostRef = Annotated[PostId, _exactly(16)]
Member = Annotated[MemberPk, _exactly(32)]
DeviceKey = Annotated[DevicePk, _exactly(32)]
Device = Annotated[DeviceId, _exactly(16)]
Invite = Annotated[InvitePk, _exactly(32)]
KemPk = Annotated[bytes, Meta(min_length=32, max_length=1216)]
KemNumber = Annotated[int, Meta(ge=0, le=2**32 - 1)]
Count = Annotated[int, Meta(ge=0, le=2**32 - 1)]
Mseq = Annotated[int, Meta(ge=1, le=limits.MSEQ_MAX)]
MseqOrNone = Annotated[int, Meta(ge=0, le=limits.MSEQ_MAX)]
Day = Annotated[int, Meta(ge=0, le=3_652_059)]  # 1: 1 January of the year 1, up to the end of 9999; 0: none
Millis = Annotated[int, Meta(ge=0, le=2**53 - 1)]


# msgspec counts characters of text; the limits count bytes of UTF-8, which `within` checks where it matters.
def text(characters_max: int, characters_min: int = 0) -> Meta:
    """Return the annotation for a text of at most so many characters."""
    return Meta(min_length=characters_min, max_length=characters_max)


Alias = Annotated[str, text(limits.ALIAS_BYTES_MAX, 1)]
GroupName = Annotated[str, text(limits.GROUP_NAME_BYTES_MAX, 1)]
About = Annotated[str, text(limits.ABOUT_BYTES_MAX)]
AgreementText = Annotated[str, text(limits.AGREEMENT_BYTES_MAX)]
PostText = Annotated[str, text(limits.POST_TEXT_BYTES_MAX, 1)]
Warning_ = Annotated[str, text(limits.WARNING_BYTES_MAX)]
TopicName = Annotated[str, text(limits.TOPIC_BYTES_MAX, 1)]
Reason = Annotated[str, text(limits.REASON_BYTES_MAX)]
SettingKey = Annotated[str, text(limits.SETTING_KEY_BYTES_MAX, 1)]
SettingValue = Annotated[str, text(limits.SETTING_VALUE_BYTES_MAX)]
# A multiaddr is ASCII without spaces: an address is dialled and shown, and is checked nowhere else.
AddressText = Annotated[str, Meta(min_length=1, max_length=limits.ADDRESS_BYTES_MAX, pattern=r"\A[\x21-\x7e]+\Z")]
