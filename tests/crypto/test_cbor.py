import json
import struct

import cbor2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crypto import cbor
from crypto.cbor import Value
from crypto.errors import MalformedMessage
from tests.testdata import vectors

APPENDIX_A = json.loads(vectors("cbor-appendix-a.json").read_text())["cases"]

keys = st.one_of(st.integers(-(2**64), 2**64 - 1), st.text(max_size=5))
plain = st.one_of(
    st.integers(-(2**64), 2**64 - 1), st.binary(max_size=40), st.text(max_size=40), st.booleans(), st.none()
)
values: st.SearchStrategy[Value] = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(keys, inner, max_size=5), max_leaves=25
)


def test_all_examples_of_the_standard_are_there() -> None:
    assert len(APPENDIX_A) == 82
    assert sum(case["refused_because"] is None for case in APPENDIX_A) == 37


@pytest.mark.parametrize("case", APPENDIX_A, ids=lambda case: str(case["hex"])[:24])
def test_examples_of_the_standard_are_read_or_refused_by_policy(case: dict[str, str | None]) -> None:
    data = bytes.fromhex(str(case["hex"]))
    if case["refused_because"] is not None:
        with pytest.raises(MalformedMessage):
            cbor.decode(data)
        return
    assert cbor.decode(data) == cbor2.loads(data)
    assert cbor.encode(cbor.decode(data)) == data


@given(values)
def test_every_value_comes_back_as_it_was(value: Value) -> None:
    assert cbor.decode(cbor.encode(value)) == value


@given(values)
def test_another_library_reads_the_same_value(value: Value) -> None:
    assert cbor2.loads(cbor.encode(value)) == value


@given(st.binary(max_size=60))
@example(bytes.fromhex("d81c8100"))
@example(bytes.fromhex("d9010083010203"))
@example(bytes.fromhex("c24101"))
def test_whatever_is_read_is_the_one_encoding_of_its_value(data: bytes) -> None:
    try:
        value = cbor.decode(data)
    except MalformedMessage:
        return
    assert cbor.encode(value) == data


@given(values, st.data())
def test_a_changed_encoding_is_refused_or_another_value(value: Value, data: st.DataObject) -> None:
    encoding = bytearray(cbor.encode(value))
    position = data.draw(st.integers(0, len(encoding) - 1))
    encoding[position] ^= data.draw(st.integers(1, 255))
    try:
        other = cbor.decode(bytes(encoding))
    except MalformedMessage:
        return
    assert cbor.encode(other) != cbor.encode(value)


REFUSED = {
    "nothing": "",
    "a longer integer than needed": "1800",
    "an integer in eight bytes that fits in four": "1b00000000ffffffff",
    "a longer length of a text": "780161",
    "a longer length of an array": "980101",
    "the same key twice": "a201020103",
    "keys out of order": "a202000100",
    "keys sorted by length first": "a22000186400",
    "a boolean as key": "a1f401",
    "bytes as key": "a1410102",
    "an array as key": "a18001",
    "leftovers": "0101",
    "a cut text": "6261",
    "a text that is not Unicode": "62ff00",
    "a surrogate in a text": "63eda080",
    "a tag": "d2844043a1012640",
    "the tag of CBOR itself": "d9d9f701",
    "a bignum": "c2420100",
    "a bignum that fits": "c24101",
    "a set": "d901028101",
    "an unassigned simple value": "f0",
    "undefined": "f7",
    "a float": "f93c00",
    "an indefinite text": "7f6161ff",
    "an indefinite array": "9f01ff",
    "a break alone": "ff",
    "a reserved length": "1c",
    "a huge length": "9b7fffffffffffffff",
}


@pytest.mark.parametrize("encoding", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_the_one_encoding_is_refused(encoding: str) -> None:
    with pytest.raises(MalformedMessage):
        cbor.decode(bytes.fromhex(encoding))


def test_maps_are_sorted_by_the_bytes_of_their_keys() -> None:
    # RFC 8949 4.2.1 lists this very order
    assert cbor.encode({"aa": 0, -1: 0, "z": 0, 100: 0, 10: 0}).hex() == "a50a001864002000617a0062616100".replace(
        " ", ""
    )


def test_nesting_is_limited() -> None:
    deep: Value = 1
    for _ in range(cbor.DEPTH_MAX):
        deep = [deep]
    assert cbor.decode(cbor.encode(deep)) == deep
    with pytest.raises(MalformedMessage):
        cbor.decode(b"\x81" * (cbor.DEPTH_MAX + 1) + b"\x01")
    with pytest.raises(MalformedMessage):
        cbor.decode(b"\x81" * 100_000 + b"\x01")
    with pytest.raises(MalformedMessage):
        cbor.decode(bytes.fromhex("818101"), depth_max=1)


def test_size_is_limited() -> None:
    assert cbor.decode(b"\x42ab", size_max=3) == b"ab"
    with pytest.raises(MalformedMessage):
        cbor.decode(b"\x42ab", size_max=2)


def test_the_number_of_items_is_limited() -> None:
    assert cbor.decode(bytes.fromhex("82018102"), items_max=3) == [1, [2]]
    for message in ("82018102", "a20102038102"):
        with pytest.raises(MalformedMessage, match="too many items"):
            cbor.decode(bytes.fromhex(message), items_max=2)
    # looked at one by one these take a quarter of a minute
    with pytest.raises(MalformedMessage, match="too many items"):
        cbor.decode(b"\x9a" + (4_000_000).to_bytes(4, "big") + b"\x80" * 4_000_000)


def test_shared_references_cannot_blow_a_message_up() -> None:
    # tag 28 marks a value, tag 29 refers to it: ten levels of a hundred references each would be 10^20 items
    message = b"\x8a" + b"\xd8\x1c\x98\x64" + b"\x01" * 100
    for level in range(9):
        message += b"\xd8\x1c\x98\x64" + (b"\xd8\x1d" + struct.pack("B", level)) * 100
    with pytest.raises(MalformedMessage):
        cbor.decode(message)


@pytest.mark.parametrize("tag", [*range(64), 100, 256, 258, 260, 261, 1004, 43000, 55799, 2**64 - 1])
def test_nothing_is_made_of_what_is_tagged(tag: int) -> None:
    # a decimal (tag 4) of a big number (tag 2) takes time with the square of its length: a minute for 300 kB
    head = b"\xdb" + tag.to_bytes(8, "big")
    for content in (b"\x01", b"\x61a", b"\x41a", b"\x80", b"\x82\x01\x01", b"\x82\x01\xc2\x43aaa", b"\xa1\x01\x01"):
        with pytest.raises(MalformedMessage, match="tag") as refused:
            cbor.decode(head + content)
        assert isinstance(refused.value.__cause__, cbor2.CBORDecodeError)


@pytest.mark.parametrize("value", [1.5, 2**64, -(2**64) - 1, "\ud800", {b"k": 1}, (1,), {1, 2}, object()])
def test_what_cannot_be_read_back_cannot_be_written(value: object) -> None:
    with pytest.raises(MalformedMessage):
        cbor.encode([value])  # type: ignore[list-item]
