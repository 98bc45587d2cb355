import hashlib
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from terminals import card
from terminals.card import Condition, DataObject, Interface, ManagementAlgorithm, PivSession, Slot
from tests.card_builders import (
    CARD_ID,
    MANAGEMENT_KEY,
    PIN,
    PUK,
    IssuedCard,
    Recorder,
    Tearing,
    issued_card,
    personalise,
    repeatable,
    secret,
)

AES256 = ManagementAlgorithm.AES256
DIGEST = hashlib.sha256(b"a record").digest()


def over(inserted: card.CardInSlot, interface: Interface = Interface.CONTACT) -> PivSession:
    reader = card.LocalReader(interface=interface)
    reader.insert(inserted)
    session = PivSession(reader.connect())
    session.select()
    return session


def verifies(public_key: ec.EllipticCurvePublicKey, raw: bytes, digest: bytes = DIGEST) -> bool:
    public_key.verify(card.der_signature(raw), digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    return True


# --- select ---


def test_select_tells_what_the_card_is(session: PivSession) -> None:
    application = session.select()
    assert application.aid.hex().upper() == "A000000308000010000100"
    assert application.label == "City card"
    assert 0x11 in application.algorithms


def test_a_card_that_refuses_the_full_name_is_selected_by_a_shorter_one() -> None:
    connection = Recorder([b"\x6a\x82", b"\x6a\x82", b"\x90\x00"])
    assert PivSession(connection).select() == card.Application(bytes.fromhex("A000000308"))
    assert [frame[4] for frame in connection.sent] == [11, 9, 5]


def test_a_card_that_forgets_the_template_around_its_name_is_piv_all_the_same() -> None:
    answer = bytes.fromhex("4F0600001000010079074F05A000000308") + b"\x90\x00"
    assert PivSession(Recorder([answer])).select().label == ""


@pytest.mark.parametrize("answers", [[b"\x6a\x82"] * 3, [b"\x6f\x02\x84\x00\x90\x00"], [b"\x61\x05\x4f\x90\x00"]])
def test_a_card_that_is_not_piv_is_said_to_be_none(answers: list[bytes]) -> None:
    with pytest.raises(card.NotAPivCard, match="not a citizen card"):
        PivSession(Recorder([*answers, b"\x90\x00"])).select()


# --- objects ---


def test_certificates_and_chuid_read_back_as_they_were_issued(issued: IssuedCard, session: PivSession) -> None:
    for slot in Slot:
        assert session.read_certificate(slot) == issued.certificates[slot]
    assert session.read_chuid().guid == CARD_ID
    discovery = session.read_discovery()
    assert discovery is not None
    assert discovery.pin_policy == b"\x40\x00"


def test_a_blank_card_has_no_objects() -> None:
    session = over(card.SimulatedCard.blank())
    with pytest.raises(card.ObjectMissing, match="CHUID") as refusal:
        session.read_chuid()
    assert refusal.value.code == "card_object_missing"
    with pytest.raises(card.ObjectMissing, match="9E"):
        session.read_certificate(Slot.CARD_AUTHENTICATION)
    with pytest.raises(card.KeyMissing):
        session.sign_digest(Slot.CARD_AUTHENTICATION, DIGEST)


def test_a_large_object_goes_to_the_card_and_comes_back_in_parts(session: PivSession) -> None:
    session.authenticate_management(MANAGEMENT_KEY, AES256)
    content = bytes(i % 253 for i in range(3000))
    session.put_data(DataObject.SECURITY, content)
    assert session.get_data(DataObject.SECURITY) == content


def test_an_emptied_object_is_missing(session: PivSession) -> None:
    session.authenticate_management(MANAGEMENT_KEY, AES256)
    session.put_data(DataObject.CHUID, b"")
    with pytest.raises(card.ObjectMissing):
        session.read_chuid()


def test_an_object_the_card_has_no_room_for_is_said(session: PivSession) -> None:
    session.authenticate_management(MANAGEMENT_KEY, AES256)
    with pytest.raises(card.NoRoom, match="fresh card"):
        session.put_data(DataObject.PRINTED, bytes(5000))


def test_printed_information_wants_the_pin_first(session: PivSession) -> None:
    session.authenticate_management(MANAGEMENT_KEY, AES256)
    session.put_data(DataObject.PRINTED, b"printed")
    with pytest.raises(card.NotAllowed) as refusal:
        session.get_data(DataObject.PRINTED)
    assert refusal.value.condition is Condition.PIN
    session.verify_pin(secret(PIN))
    assert session.get_data(DataObject.PRINTED) == b"printed"


@pytest.mark.parametrize(
    "verb",
    [
        lambda session: session.put_data(DataObject.CHUID, b"x"),
        lambda session: session.generate(Slot.CARD_AUTHENTICATION),
        lambda session: session.set_management_key(card.YubicoStyle(), MANAGEMENT_KEY, AES256),
    ],
)
def test_changing_the_card_wants_the_management_key(session: PivSession, verb: Callable[[PivSession], object]) -> None:
    with pytest.raises(card.NotAllowed) as refusal:
        verb(session)
    assert refusal.value.condition is Condition.MANAGEMENT_KEY


# --- PIN and PUK ---


def test_a_wrong_pin_says_how_many_tries_are_left(session: PivSession) -> None:
    for left in (4, 3, 2, 1):
        with pytest.raises(card.PinRejected) as refusal:
            session.verify_pin(secret(b"000000"))
        assert refusal.value.attempts_left == left
        assert session.pin_status() == card.PinStatus(verified=False, attempts_left=left)


def test_the_last_try_is_spared_until_the_holder_confirms(session: PivSession) -> None:
    for _ in range(4):
        with pytest.raises(card.PinRejected):
            session.verify_pin(secret(b"000000"))
    with pytest.raises(card.LastPinTry):
        session.verify_pin(secret(PIN))
    with pytest.raises(card.LastPinTry):
        session.change_pin(secret(PIN), secret(b"111111"))
    assert session.pin_status().attempts_left == 1
    session.verify_pin(secret(PIN), last_try=True)
    session.log_out()
    assert session.pin_status().attempts_left == 5


def test_a_blocked_pin_is_a_state_that_the_puk_ends(session: PivSession) -> None:
    for wrong in range(5):
        with pytest.raises(card.PinBlocked if wrong == 4 else card.PinRejected):
            session.verify_pin(secret(b"000000"), last_try=True)
    assert session.pin_status().blocked
    for _ in range(2):
        with pytest.raises(card.PinBlocked, match="PUK"):
            session.verify_pin(secret(PIN), last_try=True)
    session.reset_retry_counter(secret(PUK), secret(b"1234567"))
    assert session.pin_status() == card.PinStatus(verified=False, attempts_left=5)
    session.verify_pin(secret(b"1234567"))


def test_a_wrong_puk_counts_down_until_the_card_is_lost(session: PivSession) -> None:
    for left in (4, 3, 2, 1):
        with pytest.raises(card.PukRejected) as refusal:
            session.reset_retry_counter(secret(b"00000000"), secret(PIN))
        assert refusal.value.attempts_left == left
    for _ in range(2):
        with pytest.raises(card.PukBlocked, match="replaced"):
            session.reset_retry_counter(secret(b"00000000"), secret(PIN))
    with pytest.raises(card.PukBlocked):
        session.change_puk(secret(PUK), secret(b"12345678"))


@pytest.mark.parametrize("pin", [b"", b"12345", b"123456789", b"12345a", b"12 456"])
def test_a_pin_of_another_form_never_reaches_the_card(pin: bytes) -> None:
    connection = Recorder([])
    with pytest.raises(card.PinFormat):
        PivSession(connection).verify_pin(secret(pin))
    with pytest.raises(card.PinFormat):
        PivSession(connection).change_pin(secret(PIN), secret(pin))
    with pytest.raises(card.PukFormat):
        PivSession(connection).change_puk(secret(PUK), secret(pin))
    assert not connection.sent


def test_secrets_are_wiped_whether_the_card_takes_them_or_not(session: PivSession) -> None:
    right, wrong, old, new = secret(PIN), secret(b"000000"), secret(PIN), secret(b"654321")
    session.verify_pin(right)
    with pytest.raises(card.PinRejected):
        session.verify_pin(wrong)
    session.change_pin(old, new)
    puk, pin = secret(b"00000000"), secret(b"111111")
    with pytest.raises(card.PukRejected):
        session.reset_retry_counter(puk, pin)
    malformed = secret(b"12")
    with pytest.raises(card.PinFormat):
        session.verify_pin(malformed)
    assert not any(b"".join([right, wrong, old, new, puk, pin, malformed]))


def test_a_changed_pin_and_puk_are_the_ones_that_count(session: PivSession) -> None:
    session.change_pin(secret(PIN), secret(b"11223344"))
    session.change_puk(secret(PUK), secret(b"ABCDEFGH"))
    session.log_out()
    with pytest.raises(card.PinRejected):
        session.verify_pin(secret(PIN))
    session.verify_pin(secret(b"11223344"))
    session.reset_retry_counter(secret(b"ABCDEFGH"), secret(b"999999"))


# --- management key ---


@pytest.mark.parametrize("algorithm", ManagementAlgorithm)
def test_every_management_cipher_proves_both_sides(algorithm: ManagementAlgorithm) -> None:
    session = over(card.SimulatedCard.blank(algorithm=algorithm))
    session.authenticate_management(card.factory_key(algorithm), algorithm)
    session.generate(Slot.CARD_AUTHENTICATION)


def test_a_wrong_management_key_is_said(session: PivSession) -> None:
    for key, algorithm in ((bytes(32), AES256), (bytes(16), ManagementAlgorithm.AES128)):
        with pytest.raises(card.WrongManagementKey):
            session.authenticate_management(key, algorithm)
    with pytest.raises(card.NotAllowed):
        session.generate(Slot.CARD_AUTHENTICATION)


def test_a_card_that_cannot_prove_the_management_key_is_not_genuine() -> None:
    witness = bytes.fromhex("7C128010") + bytes(16) + b"\x90\x00"
    answer = bytes.fromhex("7C128210") + bytes(16) + b"\x90\x00"
    with pytest.raises(card.CardNotGenuine):
        PivSession(Recorder([witness, answer])).authenticate_management(MANAGEMENT_KEY, AES256)


def test_the_management_key_is_replaced_by_the_products_own_command(session: PivSession) -> None:
    session.authenticate_management(MANAGEMENT_KEY, AES256)
    session.set_management_key(card.product_of(session.atr), bytes(range(16)), ManagementAlgorithm.AES128)
    with pytest.raises(card.WrongManagementKey):
        session.authenticate_management(MANAGEMENT_KEY, AES256)
    session.authenticate_management(bytes(range(16)), ManagementAlgorithm.AES128)


def test_a_product_that_cannot_replace_its_key_is_refused_before_anything_is_sent() -> None:
    connection = Recorder([])
    with pytest.raises(card.ProductUnsupported, match="intake"):
        PivSession(connection).set_management_key(card.product_of(b"\x3b\x00"), MANAGEMENT_KEY, AES256)
    assert not connection.sent
    assert card.product_of(bytes.fromhex("3BFD1300008131FE158073C021C057597562694B657940")).name == "YubiKey"


# --- signatures ---


def test_presence_needs_no_pin(issued: IssuedCard, session: PivSession) -> None:
    raw = session.sign_digest(Slot.CARD_AUTHENTICATION, DIGEST)
    assert verifies(issued.public_keys[Slot.CARD_AUTHENTICATION], raw)
    session.prove_possession(Slot.CARD_AUTHENTICATION, issued.public_keys[Slot.CARD_AUTHENTICATION])


def test_consent_needs_the_pin_for_every_signature(issued: IssuedCard, session: PivSession) -> None:
    for _ in range(2):
        with pytest.raises(card.NotAllowed) as refusal:
            session.sign_digest(Slot.SIGNATURE, DIGEST)
        assert refusal.value.condition is Condition.PIN
        session.verify_pin(secret(PIN))
        assert verifies(issued.public_keys[Slot.SIGNATURE], session.sign_digest(Slot.SIGNATURE, DIGEST))


def test_sign_in_needs_the_pin_once(issued: IssuedCard, session: PivSession) -> None:
    with pytest.raises(card.NotAllowed):
        session.sign_digest(Slot.AUTHENTICATION, DIGEST)
    session.verify_pin(secret(PIN))
    for _ in range(2):
        assert verifies(issued.public_keys[Slot.AUTHENTICATION], session.sign_digest(Slot.AUTHENTICATION, DIGEST))


def test_a_key_that_is_not_the_certificates_is_not_genuine(issued: IssuedCard, session: PivSession) -> None:
    with pytest.raises(card.CardNotGenuine, match="9E certificate"):
        session.prove_possession(Slot.CARD_AUTHENTICATION, issued.public_keys[Slot.SIGNATURE])


def test_only_a_digest_is_signed(session: PivSession) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        session.sign_digest(Slot.CARD_AUTHENTICATION, b"not a digest")


# --- contactless ---


def test_without_contact_a_card_proves_presence_and_nothing_else(issued: IssuedCard) -> None:
    session = over(issued.card, Interface.CONTACTLESS)
    session.prove_possession(Slot.CARD_AUTHENTICATION, issued.public_keys[Slot.CARD_AUTHENTICATION])
    assert session.read_chuid().guid == CARD_ID
    assert session.read_certificate(Slot.CARD_AUTHENTICATION) == issued.certificates[Slot.CARD_AUTHENTICATION]
    refused: list[Callable[[], object]] = [
        session.pin_status,
        lambda: session.verify_pin(secret(PIN)),
        lambda: session.change_pin(secret(PIN), secret(PIN)),
        lambda: session.change_puk(secret(PUK), secret(PUK)),
        lambda: session.reset_retry_counter(secret(PUK), secret(PIN)),
        lambda: session.read_certificate(Slot.SIGNATURE),
        lambda: session.authenticate_management(MANAGEMENT_KEY, AES256),
        lambda: session.put_data(DataObject.CHUID, b"x"),
        lambda: session.generate(Slot.CARD_AUTHENTICATION),
    ]
    for verb in refused:
        with pytest.raises(card.NotAllowed) as refusal:
            verb()
        assert refusal.value.condition is Condition.CONTACT


def test_a_card_that_takes_the_pin_without_contact_is_a_stated_setting() -> None:
    issued = issued_card(card.CardSettings(contactless_pin=True))
    session = over(issued.card, Interface.CONTACTLESS)
    discovery = session.read_discovery()
    assert discovery is not None
    assert discovery.pin_policy == b"\x4c\x00"
    session.verify_pin(secret(PIN))
    assert verifies(issued.public_keys[Slot.SIGNATURE], session.sign_digest(Slot.SIGNATURE, DIGEST))
    refused: list[Callable[[], object]] = [
        lambda: session.authenticate_management(MANAGEMENT_KEY, AES256),
        lambda: session.change_puk(secret(PUK), secret(PUK)),
        lambda: session.put_data(DataObject.CHUID, b"x"),
    ]
    for verb in refused:
        with pytest.raises(card.NotAllowed) as refusal:
            verb()
        assert refusal.value.condition is Condition.CONTACT


# --- endings ---


@pytest.mark.parametrize("done", [False, True])
def test_a_transport_error_ends_the_session_for_good(issued: IssuedCard, done: bool) -> None:
    session = over(Tearing(issued.card, 1, done=done))
    with pytest.raises(card.CardRemoved):
        session.read_chuid()
    with pytest.raises(card.SessionEnded):
        session.read_chuid()


def test_a_swapped_card_is_not_talked_to() -> None:
    first, second = issued_card(seed="first"), issued_card(seed="second")
    reader = card.LocalReader()
    reader.insert(first.card)
    session = PivSession(reader.connect())
    session.select()
    session.verify_pin(secret(PIN))
    reader.insert(second.card)
    with pytest.raises(card.CardRemoved):
        session.sign_digest(Slot.SIGNATURE, DIGEST)
    with pytest.raises(card.SessionEnded):
        session.sign_digest(Slot.CARD_AUTHENTICATION, DIGEST)


def test_closing_takes_the_power_and_with_it_the_verified_pin(issued: IssuedCard, reader: card.LocalReader) -> None:
    with PivSession(reader.connect()) as session:
        session.select()
        session.verify_pin(secret(PIN))
    with pytest.raises(card.SessionEnded):
        session.select()
    assert not over(issued.card).pin_status().verified


@pytest.mark.parametrize("done", [False, True])
def test_a_card_torn_at_any_command_of_issuance_can_be_issued_again(done: bool) -> None:
    """Whatever frame it is pulled at, the factory key still opens it and the same steps run through."""
    factory = ManagementAlgorithm.AES192
    torn = 0
    while True:
        blank = card.SimulatedCard.blank(random_bytes=repeatable(f"tear {torn}"))
        reader = card.LocalReader()
        reader.insert(Tearing(blank, torn, done=done))
        session = PivSession(reader.connect())
        try:
            session.select()
            session.authenticate_management(card.factory_key(factory), factory)
            personalise(session)
            break
        except card.CardRemoved:
            torn += 1
        again = over(blank)
        again.authenticate_management(card.factory_key(factory), factory)
        certificates = personalise(again)
        assert again.read_certificate(Slot.CARD_AUTHENTICATION) == certificates[Slot.CARD_AUTHENTICATION]
    assert torn > 10
