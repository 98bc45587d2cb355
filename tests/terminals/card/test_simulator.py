"""The virtual card, command by command: what the session never sends must keep the rules too."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminals import card
from terminals.card import Interface, ManagementAlgorithm
from terminals.card.keys import ManagementCipher
from tests.card_builders import PIN, IssuedCard, issued_card, repeatable

SELECT = "00A404000BA00000030800001000010000"
VERIFY_RIGHT = "0020008008" + PIN.hex() + "FFFF"
VERIFY_WRONG = "0020008008303030303030FFFF"
STATUS = "00200080"
HASH = "11" * 32
SIGN = "008711{}267C2482008120" + HASH + "00"


def send(simulated: card.SimulatedCard, frame: str) -> str:
    return simulated.process(bytes.fromhex(frame)).hex().upper()


def sw(simulated: card.SimulatedCard, frame: str) -> str:
    return send(simulated, frame)[-4:]


@pytest.fixture
def selected(issued: IssuedCard) -> card.SimulatedCard:
    issued.card.power_on(Interface.CONTACT)
    assert sw(issued.card, SELECT) == "9000"
    return issued.card


@pytest.mark.parametrize("aid", ["A000000308", "A00000030800001000", "A000000308000010000100"])
def test_all_three_forms_of_the_name_select_piv(issued: IssuedCard, aid: str) -> None:
    answer = send(issued.card, f"00A40400{len(aid) // 2:02X}{aid}00")
    assert answer.startswith("61")
    assert answer.endswith("9000")


def test_nothing_works_before_selection(issued: IssuedCard) -> None:
    issued.card.power_on(Interface.CONTACT)
    assert sw(issued.card, STATUS) == "6D00"


def test_selecting_piv_again_keeps_the_security_status(selected: card.SimulatedCard) -> None:
    assert sw(selected, VERIFY_RIGHT) == "9000"
    assert sw(selected, SELECT) == "9000"
    assert sw(selected, STATUS) == "9000"


def test_an_unknown_application_changes_nothing(selected: card.SimulatedCard) -> None:
    assert sw(selected, VERIFY_RIGHT) == "9000"
    assert sw(selected, "00A4040007A000000247100100") == "6A82"
    assert sw(selected, STATUS) == "9000"


def test_another_known_application_clears_the_security_status(selected: card.SimulatedCard) -> None:
    assert sw(selected, VERIFY_RIGHT) == "9000"
    assert sw(selected, "00A4040008A00000015100000000") == "9000"
    assert sw(selected, STATUS) == "6D00"
    assert sw(selected, SELECT) == "9000"
    assert sw(selected, STATUS) == "63C5"


def test_a_power_cycle_clears_the_security_status(selected: card.SimulatedCard) -> None:
    assert sw(selected, VERIFY_RIGHT) == "9000"
    selected.power_off()
    selected.power_on(Interface.CONTACT)
    assert sw(selected, SELECT) == "9000"
    assert sw(selected, STATUS) == "63C5"


def test_one_pin_gives_one_signature_with_9c(selected: card.SimulatedCard) -> None:
    assert sw(selected, SIGN.format("9C")) == "6982"
    assert sw(selected, VERIFY_RIGHT) == "9000"
    assert sw(selected, SIGN.format("9C")) == "9000"
    assert sw(selected, SIGN.format("9C")) == "6982"
    assert sw(selected, SIGN.format("9A")) == "9000"
    assert sw(selected, SIGN.format("9A")) == "9000"
    assert sw(selected, SIGN.format("9E")) == "9000"


def test_a_changed_pin_is_no_signature(selected: card.SimulatedCard) -> None:
    assert sw(selected, "0024008010" + PIN.hex() + "FFFF" + "313131313131FFFF") == "9000"
    assert sw(selected, STATUS) == "9000"
    assert sw(selected, SIGN.format("9C")) == "6982"


def test_a_wrong_pin_takes_back_what_a_right_one_opened(selected: card.SimulatedCard) -> None:
    assert sw(selected, VERIFY_RIGHT) == "9000"
    assert sw(selected, VERIFY_WRONG) == "63C4"
    assert sw(selected, SIGN.format("9A")) == "6982"


def test_logging_out_keeps_the_counter(selected: card.SimulatedCard) -> None:
    assert sw(selected, VERIFY_WRONG) == "63C4"
    assert sw(selected, "0020FF80") == "9000"
    assert sw(selected, STATUS) == "63C4"


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ("0020008008313233343536FFFE", "6A80"),  # filled with something else
        ("00200080083132333435FFFFFF", "6A80"),  # five digits
        ("0020008006313233343536", "6A80"),  # not filled
        ("0020008008313233FF343536FF", "6A80"),
        ("002000000831323334FFFFFFFF", "6A88"),
        ("00200180", "6A86"),
        ("0024008008313233343536FFFF", "6A80"),
        ("002C008110" + "31" * 16, "6A88"),
        ("0024008210" + "31" * 16, "6A88"),
        ("00200080", "63C5"),
    ],
)
def test_a_malformed_pin_command_costs_no_try(selected: card.SimulatedCard, frame: str, expected: str) -> None:
    assert sw(selected, frame) == expected
    assert sw(selected, STATUS) == "63C5"


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ("00", "6700"),
        ("0020008008313233", "6700"),
        ("80CA000000", "6E00"),
        ("0CCB3FFF035C017E00", "6E00"),
        ("00AA000000", "6D00"),
        ("00FD000000", "6D00"),
        ("00F8000000", "6D00"),
        ("00F7009B00", "6D00"),
        ("00C0000000", "6985"),
        ("00A4000000", "6A86"),
        ("00CB3F00035C017E00", "6A86"),
        ("00CB3FFF055C035FC10900", "6982"),
        ("00CB3FFF055C035FC10600", "6A82"),
        ("00CB3FFF0199", "6A80"),
        ("00DB3FFF025300", "6982"),
        ("0047009E05AC0380011100", "6982"),
        ("00FFFFFF13089B10" + "00" * 16, "6982"),
        ("008714 9E26".replace(" ", "") + "7C2482008120" + HASH + "00", "6A86"),
        ("008711 9D26".replace(" ", "") + "7C2482008120" + HASH + "00", "6A86"),
        ("0087119E057C0382008100", "6A80"),
        ("0087119E247C22820081 1E".replace(" ", "") + "11" * 30 + "00", "6A80"),
        ("00870C9B047C02800000", "9000"),
        ("00870C9B047C02810000", "9000"),
        ("0087089B047C02800000", "6A86"),
        ("00870C9B147C128210" + "00" * 16, "6A80"),
        ("00870C9B047C02850000", "6A80"),
    ],
)
def test_each_refusal_has_its_status_word(selected: card.SimulatedCard, frame: str, expected: str) -> None:
    assert sw(selected, frame) == expected


def test_a_challenge_is_good_for_one_command(selected: card.SimulatedCard) -> None:
    cipher = ManagementCipher(ManagementAlgorithm.AES256, bytes(range(100, 132)))
    challenge = bytes.fromhex(send(selected, "00870C9B047C02810000")[8:-4])
    proof = "00870C9B147C128210" + cipher.encrypt(challenge).hex()
    assert sw(selected, STATUS) == "63C5"
    assert sw(selected, proof) == "6A80"
    challenge = bytes.fromhex(send(selected, "00870C9B047C02810000")[8:-4])
    assert sw(selected, "00870C9B147C128210" + cipher.encrypt(challenge).hex()) == "9000"
    assert sw(selected, "0047009E05AC0380011400") == "6A80"  # P-384 is not in the city's profile
    assert sw(selected, "0047009D05AC0380011100") == "6A86"
    assert sw(selected, "0047009E05AC0380011100") == "9000"


def test_a_failed_authentication_takes_back_the_management_key(selected: card.SimulatedCard) -> None:
    cipher = ManagementCipher(ManagementAlgorithm.AES256, bytes(range(100, 132)))
    challenge = bytes.fromhex(send(selected, "00870C9B047C02810000")[8:-4])
    assert sw(selected, "00870C9B147C128210" + cipher.encrypt(challenge).hex()) == "9000"
    assert sw(selected, "00870C9B047C02810000") == "9000"
    assert sw(selected, "00870C9B147C128210" + "00" * 16) == "6982"
    assert sw(selected, "0047009E05AC0380011100") == "6982"


def test_an_interrupted_chain_leaves_no_trace(selected: card.SimulatedCard) -> None:
    assert sw(selected, "1087119E107C2482008120" + "11" * 10) == "9000"
    assert sw(selected, STATUS) == "63C5"
    assert sw(selected, "0087119E16" + "11" * 22 + "00") == "6A80"
    assert sw(selected, SIGN.format("9E")) == "9000"


def test_a_chain_may_be_cut_anywhere(selected: card.SimulatedCard) -> None:
    whole = send(selected, SIGN.format("9E"))
    body = bytes.fromhex(SIGN.format("9E"))[5:-1]
    for cut in range(1, len(body)):
        assert sw(selected, f"1087119E{cut:02X}{body[:cut].hex()}") == "9000"
        assert send(selected, f"0087119E{len(body) - cut:02X}{body[cut:].hex()}00") == whole


def test_a_chain_cannot_fill_the_card(selected: card.SimulatedCard) -> None:
    answers = {sw(selected, "10DB3FFFFF" + "00" * 255) for _ in range(66)}
    assert answers == {"9000", "6700"}


def test_a_long_answer_comes_in_parts_and_is_forgotten_after_another_command(selected: card.SimulatedCard) -> None:
    read = "00CB3FFF055C035FC10500"
    answer = send(selected, read)
    assert len(answer) == 2 * 258
    assert answer[-4:-2] == "61"
    assert sw(selected, STATUS) == "63C5"
    assert sw(selected, "00C0000000") == "6985"
    whole = send(selected, "00CB3FFF0000055C035FC1050000")
    assert whole.endswith("9000")
    assert whole.startswith(answer[:-4])
    parts, left = "", send(selected, read[:-2] + "10")
    while True:
        parts += left[:-4]
        if left[-4:-2] != "61":
            break
        left = send(selected, "00C0000010")
    assert parts + "9000" == whole


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_no_bytes_make_the_card_fall_over(frames: list[bytes]) -> None:
    simulated = card.SimulatedCard.blank(random_bytes=repeatable("noise"))
    simulated.process(bytes.fromhex(SELECT))
    for frame in frames:
        assert len(simulated.process(frame)) >= 2


@given(
    st.sampled_from([0x20, 0x24, 0x2C, 0x47, 0x87, 0xCB, 0xDB, 0xFF, 0xF7]),
    st.sampled_from([0, 0x11, 0x0A, 0x3F, 0xFF]),
    st.sampled_from([0x80, 0x81, 0x9A, 0x9B, 0x9C, 0x9E, 0xFF]),
    st.binary(max_size=60),
)
def test_no_data_opens_a_card_by_accident(ins: int, p1: int, p2: int, data: bytes) -> None:
    settings = card.CardSettings(yubikey_extensions=True)
    simulated = card.SimulatedCard.blank(settings, random_bytes=repeatable("noise"))
    simulated.process(bytes.fromhex(SELECT))
    assert len(simulated.process(bytes([0, ins, p1, p2, len(data)]) + data)) >= 2
    assert not simulated.state.keys
    assert simulated.process(bytes.fromhex("0047009E05AC0380011100")) == bytes.fromhex("6982")


def test_the_same_chance_makes_the_same_card() -> None:
    first, second = issued_card(seed="same"), issued_card(seed="same")
    assert first.certificates == second.certificates
    assert first.card.state == second.card.state
    assert first.card.process(bytes.fromhex(SELECT)) == second.card.process(bytes.fromhex(SELECT))
    frame = bytes.fromhex(SIGN.format("9E"))
    assert first.card.process(frame) == second.card.process(frame)


# --- the file a demo card lives in ---


def test_a_card_survives_in_its_file(tmp_path: Path) -> None:
    path = tmp_path / "demo.card"
    first = card.SimulatedCard.from_file(path)
    assert path.stat().st_mode & 0o777 == 0o600
    first.process(bytes.fromhex(SELECT))
    assert first.process(bytes.fromhex(VERIFY_WRONG)) == bytes.fromhex("63C4")
    second = card.SimulatedCard.from_file(path)
    assert second.state == first.state
    assert second.state.pin_tries_left == 4


def test_an_issued_card_reads_back_from_its_file(tmp_path: Path, issued: IssuedCard) -> None:
    file = card.CardFile(tmp_path / "issued.card")
    assert file.load() is None
    file.save(issued.card.state)
    assert file.load() == issued.card.state


def test_a_try_is_counted_in_the_file_before_the_card_compares(tmp_path: Path) -> None:
    counts: list[int] = []
    simulated = card.SimulatedCard(
        card.CardState.blank(card.CardSettings()), on_change=lambda state: counts.append(state.pin_tries_left)
    )
    simulated.process(bytes.fromhex(SELECT))
    simulated.process(bytes.fromhex("0020008008313233343536FFFF"))
    assert counts == [4, 5]


@pytest.mark.parametrize("text", ["", "{}", "[]", '"x"', '{"format": "city virtual card 2"}', '{"format": 1}'])
def test_another_file_is_no_card(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other"
    path.write_text(text)
    with pytest.raises(ValueError, match="not a virtual card file"):
        card.SimulatedCard.from_file(path)
    assert path.read_text() == text
