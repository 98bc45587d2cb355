import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminals.card import MalformedResponse
from terminals.card.apdu import SW, CommandApdu, ResponseApdu, meaning


@pytest.mark.parametrize(
    ("command", "frame"),
    [
        (CommandApdu(0x00, 0x20, 0x00, 0x80), "00200080"),
        (CommandApdu(0x00, 0xC0, 0x00, 0x00, le=256), "00C0000000"),
        (CommandApdu(0x00, 0xC0, 0x00, 0x00, le=16), "00C0000010"),
        (CommandApdu(0x00, 0x20, 0x00, 0x80, b"123456\xff\xff"), "0020008008313233343536FFFF"),
        (CommandApdu(0x00, 0xCB, 0x3F, 0xFF, b"\x5c\x01\x7e", 256), "00CB3FFF035C017E00"),
    ],
)
def test_a_command_has_one_short_form_and_reads_back(command: CommandApdu, frame: str) -> None:
    assert command.encode() == bytes.fromhex(frame)
    assert CommandApdu.decode(bytes.fromhex(frame)) == command


@pytest.mark.parametrize(
    ("frame", "data", "le"),
    [
        ("00CB3FFF00000000", None, None),
        ("00CB3FFF000000", b"", 65536),
        ("00CB3FFF0000035C017E", b"\x5c\x01\x7e", None),
        ("00CB3FFF0000035C017E0000", b"\x5c\x01\x7e", 65536),
        ("00CB3FFF0000035C017E0100", b"\x5c\x01\x7e", 256),
    ],
)
def test_a_card_reads_extended_commands_too(frame: str, data: bytes | None, le: int | None) -> None:
    if data is None:
        with pytest.raises(ValueError, match="Lc does not fit"):
            CommandApdu.decode(bytes.fromhex(frame))
    else:
        command = CommandApdu.decode(bytes.fromhex(frame))
        assert (command.data, command.le) == (data, le)


@pytest.mark.parametrize("frame", ["", "002000", "00200080083132", "0020008001310000", "00CB3FFF00000531"])
def test_lengths_that_do_not_add_up_are_refused(frame: str) -> None:
    with pytest.raises(ValueError, match=r"Lc does not fit|at least four"):
        CommandApdu.decode(bytes.fromhex(frame))


@pytest.mark.parametrize("command", [CommandApdu(0, 0xDB, 0, 0, bytes(256)), CommandApdu(0, 0xCB, 0, 0, le=257)])
def test_no_frame_is_longer_than_contactless_readers_take(command: CommandApdu) -> None:
    with pytest.raises(ValueError, match="255 data bytes"):
        command.encode()


@given(
    st.tuples(*[st.integers(0, 255)] * 4),
    st.binary(max_size=255),
    st.one_of(st.none(), st.integers(1, 256)),
)
def test_what_is_encoded_reads_back(header: tuple[int, int, int, int], data: bytes, le: int | None) -> None:
    command = CommandApdu(*header, data, le)
    assert CommandApdu.decode(command.encode()) == command


def test_a_command_keeps_its_data_out_of_logs() -> None:
    assert "123456" not in repr(CommandApdu(0, 0x20, 0, 0x80, b"123456\xff\xff"))


def test_an_answer_needs_a_status_word() -> None:
    assert ResponseApdu.decode(b"\x01\x90\x00") == ResponseApdu(b"\x01", SW.DONE)
    with pytest.raises(MalformedResponse):
        ResponseApdu.decode(b"\x90")


@pytest.mark.parametrize(
    ("sw", "tries"), [(0x63C0, 0), (0x63C3, 3), (0x63CF, 15), (0x6300, None), (0x6983, None), (0x9000, None)]
)
def test_tries_left_are_read_from_63cx_only(sw: int, tries: int | None) -> None:
    assert ResponseApdu(b"", sw).tries_left == tries


def test_every_status_word_has_a_human_meaning() -> None:
    assert all(len(word.meaning) > 3 for word in SW)
    assert meaning(0x63C2) == SW.TRIES_LEFT.meaning
    assert meaning(0x6105) == SW.MORE_DATA.meaning
    assert meaning(0x1234) == "unknown status"
