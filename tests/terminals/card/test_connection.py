import pytest

from terminals.card import MalformedResponse
from terminals.card.apdu import SW, CommandApdu
from terminals.card.connection import exchange
from tests.card_builders import Recorder

GET_DATA = CommandApdu(0x00, 0xCB, 0x3F, 0xFF, b"\x5c\x01\x7e", 256)


def test_long_data_goes_out_in_a_chain_of_255_byte_blocks() -> None:
    connection = Recorder([b"\x90\x00"] * 3)
    data = bytes(i % 251 for i in range(600))
    response = exchange(connection, CommandApdu(0x00, 0xDB, 0x3F, 0xFF, data))
    assert response.ok
    assert [frame[:5].hex() for frame in connection.sent] == ["10db3fffff", "10db3fffff", "00db3fff5a"]
    assert b"".join(frame[5:] for frame in connection.sent) == data


def test_exactly_255_bytes_are_one_frame() -> None:
    connection = Recorder([b"\x90\x00"])
    exchange(connection, CommandApdu(0x00, 0xDB, 0x3F, 0xFF, bytes(255)))
    assert len(connection.sent) == 1


def test_a_chain_ends_at_the_first_refusal() -> None:
    connection = Recorder([b"\x90\x00", b"\x69\x82"])
    assert exchange(connection, CommandApdu(0x00, 0xDB, 0x3F, 0xFF, bytes(900))).sw == SW.NOT_ALLOWED_NOW
    assert len(connection.sent) == 2


def test_waiting_bytes_are_fetched_until_none_wait() -> None:
    connection = Recorder([b"a" * 256 + b"\x61\x00", b"b" * 256 + b"\x61\x05", b"c" * 5 + b"\x90\x00"])
    response = exchange(connection, GET_DATA)
    assert response.data == b"a" * 256 + b"b" * 256 + b"c" * 5
    assert [frame.hex() for frame in connection.sent[1:]] == ["00c0000000", "00c0000005"]


def test_the_last_status_word_is_the_one_that_counts() -> None:
    assert exchange(Recorder([b"a\x61\x05", b"\x6a\x82"]), GET_DATA).sw == SW.NOT_FOUND


def test_a_wrong_expected_length_is_put_right_once() -> None:
    connection = Recorder([b"\x6c\x02", b"ab\x90\x00"])
    assert exchange(connection, GET_DATA).data == b"ab"
    assert connection.sent[1] == connection.sent[0][:-1] + b"\x02"
    assert exchange(Recorder([b"\x6c\x02", b"\x6c\x02"]), GET_DATA).sw == 0x6C02


def test_an_answer_without_end_is_refused() -> None:
    with pytest.raises(MalformedResponse, match="without end"):
        exchange(Recorder(lambda _: b"a" * 256 + b"\x61\x00"), GET_DATA)


def test_a_card_that_promises_more_and_sends_nothing_is_refused() -> None:
    with pytest.raises(MalformedResponse, match="without end"):
        exchange(Recorder([b"a\x61\x05", *[b"\x61\x05"] * 100, b"\x90\x00"]), GET_DATA)


def test_what_was_sent_is_wiped_even_when_the_card_is_gone() -> None:
    for answer in ([b"\x90\x00"], []):
        connection = Recorder(list(answer))
        try:
            exchange(connection, CommandApdu(0x00, 0x20, 0x00, 0x80, b"123456\xff\xff"))
        except IndexError:
            assert not answer
        assert connection.sent == [bytes.fromhex("0020008008313233343536FFFF")]
        assert set(connection.frames[0]) == {0}
