import gzip
from datetime import date
from uuid import UUID

import pytest

from terminals.card import Chuid, DataObject, Discovery, MalformedResponse, Slot, encode_certificate, tlv
from terminals.card.apdu import AID_PIV
from terminals.card.objects import decode_certificate
from tests.card_builders import CARD_ID, FASCN, chuid


def test_a_certificate_object_gives_back_the_certificate() -> None:
    assert encode_certificate(b"DER") == bytes.fromhex("7003444552710100FE00")
    assert decode_certificate(encode_certificate(b"DER")) == b"DER"


def test_a_packed_certificate_is_unpacked() -> None:
    packed = tlv.encode_all([(0x70, gzip.compress(b"DER" * 100)), (0x71, b"\x01"), (0xFE, b"")])
    assert decode_certificate(packed) == b"DER" * 100


@pytest.mark.parametrize(
    "content",
    [
        "",
        "7003444552",
        "7003444552710100",
        "7003444552710100FE0000",
        "7003444552710100FE007000",
        "7003444552710102FE00",
        "700344455271020000FE00",
        "7003444552710101FE00",
        "7003444552710100FE005500",
    ],
)
def test_other_certificate_objects_are_refused(content: str) -> None:
    with pytest.raises(MalformedResponse):
        decode_certificate(bytes.fromhex(content))


def test_a_packed_certificate_cannot_grow_without_end() -> None:
    bomb = tlv.encode_all([(0x70, gzip.compress(bytes(1_000_000))), (0x71, b"\x01"), (0xFE, b"")])
    with pytest.raises(MalformedResponse, match="too long"):
        decode_certificate(bomb)


def test_a_chuid_names_the_card() -> None:
    read = Chuid.decode(chuid())
    assert (read.guid, read.fascn, read.expires) == (CARD_ID, FASCN, date(2031, 12, 31))
    assert read.signed_content == chuid()[:-4] + bytes.fromhex("FE00")


def test_a_chuid_may_name_the_holder_and_carry_what_older_cards_had() -> None:
    holder = UUID("7b0f8d6e-0c7f-4b8e-8a55-3a4a6f1f0b11")
    extra = tlv.encode(0x36, holder.bytes)
    old = tlv.encode_all([(0xEE, b"\x00\x00"), (0x32, b"ORGA"), (0x33, b"123456789")])
    content = old + chuid()[:-4] + extra + chuid()[-4:]
    read = Chuid.decode(content)
    assert read.cardholder_uuid == holder
    assert read.signed_content == old[4:] + chuid()[:-4] + extra + bytes.fromhex("FE00")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        chuid()[:-2],
        chuid() + b"\x00",
        chuid() + b"\x77\x00",
        chuid() + chuid()[:27],
        chuid(expires="20311232"),
        chuid(expires="2031-1-1"),
        chuid(expires="203112"),
        chuid().replace(b"\x34\x10", b"\x34\x0f\x00\x34", 1),
    ],
)
def test_other_chuids_are_refused(content: bytes) -> None:
    with pytest.raises(MalformedResponse):
        Chuid.decode(content)


def test_the_discovery_object_is_the_standards() -> None:
    encoded = Discovery(AID_PIV, b"\x40\x00").encode()
    assert encoded.hex().upper() == "7E124F0BA0000003080000100001005F2F024000"
    assert Discovery.decode(encoded) == Discovery(AID_PIV, b"\x40\x00")
    for other in (encoded[:-1], encoded.replace(b"\x03\x08", b"\x03\x09"), b"\x7e\x00"):
        with pytest.raises(MalformedResponse):
            Discovery.decode(other)


def test_every_slot_has_its_certificate_object() -> None:
    tags = {slot.title: DataObject.certificate(slot).value.hex().upper() for slot in Slot}
    assert tags == {"9A": "5FC105", "9C": "5FC10A", "9E": "5FC101"}
    assert all(item.title for item in DataObject)
