import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminals.card import MalformedResponse, tlv


@pytest.mark.parametrize(
    ("tag", "length", "head"),
    [
        (0x70, 0, "7000"),
        (0x70, 127, "707F"),
        (0x70, 128, "708180"),
        (0x70, 255, "7081FF"),
        (0x70, 256, "70820100"),
        (0x53, 65535, "5382FFFF"),
        (0x7F49, 67, "7F4943"),
        (0x5F2F, 2, "5F2F02"),
    ],
)
def test_lengths_are_written_in_one_to_three_bytes(tag: int, length: int, head: str) -> None:
    encoded = tlv.encode(tag, bytes(length))
    assert encoded == bytes.fromhex(head) + bytes(length)
    assert tlv.decode_one(encoded, tag) == bytes(length)


def test_nothing_longer_than_a_card_object_is_written() -> None:
    with pytest.raises(ValueError, match="this long"):
        tlv.encode(0x53, bytes(65536))


@pytest.mark.parametrize(
    "data",
    [
        "70",
        "7001",
        "7081",
        "708101",
        "70820001",
        "7080",
        "7083000000",
        "7084000000FF",
        "7F",
        "5F",
        "5F81FF00",
        "700000",
    ],
)
def test_what_does_not_add_up_is_refused(data: str) -> None:
    with pytest.raises(MalformedResponse):
        tlv.decode_all(bytes.fromhex(data))


def test_lengths_that_real_cards_pad_are_read() -> None:
    assert tlv.decode_one(bytes.fromhex("708200015A"), 0x70) == b"Z"


@pytest.mark.parametrize("data", ["", "7100", "7000FE00", "70007000"])
def test_one_element_means_one_element_of_that_tag(data: str) -> None:
    with pytest.raises(MalformedResponse):
        tlv.decode_one(bytes.fromhex(data), 0x70)


def test_an_element_that_stands_twice_is_refused() -> None:
    with pytest.raises(MalformedResponse, match="twice"):
        tlv.decode_unique(bytes.fromhex("70007000"))


_TAGS = st.sampled_from([0x30, 0x34, 0x53, 0x70, 0x7C, 0xFE, 0x5F2F, 0x7F49])


@given(st.lists(st.tuples(_TAGS, st.binary(max_size=400)), max_size=6))
def test_what_is_encoded_reads_back(items: list[tuple[int, bytes]]) -> None:
    assert tlv.decode_all(tlv.encode_all(items)) == items


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        items = tlv.decode_all(data)
    except MalformedResponse:
        return
    assert len(tlv.encode_all(items)) <= len(data)
