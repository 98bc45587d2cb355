"""Cosignatures and the witness protocol, held to the text of C2SP tlog-cosignature and tlog-witness."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from crypto import tlog
from crypto.errors import CryptoError, InvalidProof, InvalidSignature, MalformedMessage
from crypto.keys import Ed25519Signer
from crypto.tlog import (
    AddCheckpoint,
    Checkpoint,
    CosignatureSigner,
    CosignatureVerifier,
    Held,
    NoteSigner,
    NoteVerifier,
)
from crypto.tlog.witnessing import check, decode_size, encode_size

LOG = NoteSigner("city.example/log", Ed25519Signer.from_secret(1))
WITNESS = CosignatureSigner("witness.example/w1", Ed25519Signer.from_secret(2))
LOGS = {LOG.name: [LOG.verifier]}
LEAVES = [tlog.leaf_hash(b"leaf %d" % number) for number in range(40)]
FORK = [*LEAVES[:9], *(tlog.leaf_hash(b"other %d" % number) for number in range(31))]


def tree(size: int, leaves: list[bytes] = LEAVES) -> tlog.Tree:
    return tlog.Tree(lambda _level, index: leaves[index], size)


def note(size: int, leaves: list[bytes] = LEAVES, signer: NoteSigner = LOG) -> str:
    return tlog.sign_checkpoint(Checkpoint(LOG.name, size, tree(size, leaves).root()), [signer])


def request(old: int, new: int, leaves: list[bytes] = LEAVES) -> AddCheckpoint:
    return AddCheckpoint(old, tree(new, leaves).consistency_proof(old) if old else (), note(new, leaves))


def held(size: int) -> Held | None:
    return Held(size, tree(size).root()) if size else None


def test_a_cosignature_is_made_word_for_word_as_the_specification_says() -> None:
    text = Checkpoint(LOG.name, 3, bytes(range(32))).encode()
    private = Ed25519PrivateKey.from_private_bytes((2).to_bytes(32, "big"))
    key = private.public_key().public_bytes_raw()
    key_id = hashlib.sha256(b"witness.example/w1\n\x04" + key).digest()[:4]
    message = b"cosignature/v1\ntime 1679315147\n" + text.encode()
    signature = key_id + (1679315147).to_bytes(8, "big") + private.sign(message)
    line = f"\N{EM DASH} witness.example/w1 {base64.b64encode(signature).decode()}\n"
    assert tlog.cosign(text, WITNESS, 1679315147) == line
    assert WITNESS.verifier.format() == (
        f"witness.example/w1+{key_id.hex()}+{base64.b64encode(bytes((4,)) + key).decode()}"
    )
    assert CosignatureVerifier.parse(WITNESS.verifier.format()) == WITNESS.verifier


def test_a_note_with_a_cosignature_is_still_the_logs_note() -> None:
    text = Checkpoint(LOG.name, 5, tree(5).root()).encode()
    line = tlog.cosign(text, WITNESS, 7)
    signed = note(5) + line
    assert tlog.open_checkpoint(signed, [LOG.verifier]).size == 5
    (found,) = tlog.cosignatures(signed, [WITNESS.verifier, CosignatureVerifier("other", LOG.signer.public_key)])
    assert (found.verifier, found.at_seconds, found.line) == (WITNESS.verifier, 7, line)
    assert tlog.cosignatures(note(5), [WITNESS.verifier]) == []


def test_a_plain_signature_of_a_witness_key_is_no_cosignature_and_the_other_way_round() -> None:
    plain = NoteVerifier(WITNESS.name, WITNESS.signer.public_key)
    assert plain.key_hash() != WITNESS.verifier.key_hash()
    with pytest.raises(MalformedMessage, match="type 4"):
        CosignatureVerifier.parse(plain.format())
    with pytest.raises(MalformedMessage, match="type 1"):
        NoteVerifier.parse(WITNESS.verifier.format())
    signed = tlog.sign_checkpoint(Checkpoint(LOG.name, 1, LEAVES[0]), [NoteSigner(WITNESS.name, WITNESS.signer)])
    assert tlog.cosignatures(signed, [WITNESS.verifier]) == []


@given(st.data())
def test_no_changed_cosignature_verifies(data: st.DataObject) -> None:
    line = tlog.cosign(Checkpoint(LOG.name, 5, tree(5).root()).encode(), WITNESS, 1_700_000_000)
    raw = bytearray(base64.b64decode(line.split(" ")[2]))
    raw[data.draw(st.integers(4, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    changed = f"\N{EM DASH} {WITNESS.name} {base64.b64encode(raw).decode()}\n"
    with pytest.raises(InvalidSignature):
        tlog.cosignatures(note(5) + changed, [WITNESS.verifier])


@pytest.mark.parametrize("at", [0, -1, 2**63])
def test_a_time_that_cannot_be_is_not_signed(at: int) -> None:
    with pytest.raises(MalformedMessage):
        tlog.cosign(Checkpoint(LOG.name, 5, tree(5).root()).encode(), WITNESS, at)


@pytest.mark.parametrize("data", [b"", bytes(71), bytes(73), bytes(72), b"\x80" + bytes(71)])
def test_a_cosignature_of_another_form_is_refused(data: bytes) -> None:
    encoded = base64.b64encode(WITNESS.verifier.key_hash() + data + b"").decode()
    with pytest.raises(CryptoError):
        tlog.cosignatures(note(5) + f"\N{EM DASH} {WITNESS.name} {encoded}\n", [WITNESS.verifier])


def test_a_request_is_written_as_the_specification_shows_it() -> None:
    asked = request(9, 12)
    lines = asked.encode().decode().split("\n")
    assert lines[0] == "old 9"
    assert [base64.b64decode(line) for line in lines[1 : 1 + len(asked.proof)]] == list(asked.proof)
    assert lines[1 + len(asked.proof)] == ""
    assert "\n".join(lines[2 + len(asked.proof) :]) == note(12)
    assert AddCheckpoint.decode(asked.encode()) == asked


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
def test_a_witness_signs_exactly_what_continues_from_the_size_it_holds(has: int, old: int, new: int) -> None:
    if old > new:
        return
    asked = request(old, new)
    if old == has:
        assert check(asked, LOGS, held(has)).size == new
    else:
        with pytest.raises(tlog.OtherSize) as refused:
            check(asked, LOGS, held(has))
        assert refused.value.held_size == has


@pytest.mark.parametrize("size", range(10, 41))
def test_a_fork_is_never_signed_at_whatever_size(size: int) -> None:
    with pytest.raises(InvalidProof):
        check(request(10, size, FORK), LOGS, held(10))


def test_what_is_wrong_is_found_in_the_order_of_the_specification() -> None:
    stranger = NoteSigner(LOG.name, Ed25519Signer.from_secret(9))
    unknown = AddCheckpoint(1, (), tlog.sign_checkpoint(Checkpoint("else.example", 3, LEAVES[0]), [stranger]))
    with pytest.raises(tlog.UnknownLog):
        check(unknown, LOGS, None)
    with pytest.raises(InvalidSignature):
        check(AddCheckpoint(1, (), note(3, signer=stranger)), LOGS, held(2))
    with pytest.raises(tlog.OtherSize):
        check(AddCheckpoint(1, (bytes(32),), note(3)), LOGS, held(2))
    with pytest.raises(InvalidProof):
        check(AddCheckpoint(2, (bytes(32),), note(3)), LOGS, held(2))


def test_a_wrong_signature_of_the_log_is_refused_even_beside_a_right_one() -> None:
    wrong = note(4).rpartition("\n\n")[2]
    with pytest.raises(InvalidSignature):
        check(AddCheckpoint(0, (), note(3) + wrong), LOGS, None)


def test_the_empty_log_and_proofs_from_nothing_are_cases_of_their_own() -> None:
    assert check(request(0, 0), LOGS, None).size == 0
    other = tlog.sign_checkpoint(Checkpoint(LOG.name, 0, bytes(32)), [LOG])
    for asked in (AddCheckpoint(0, (), other), AddCheckpoint(0, (LEAVES[0],), note(3))):
        with pytest.raises(InvalidProof):
            check(asked, LOGS, None)


BAD = {
    "nothing": b"",
    "no note": b"old 0\n\n",
    "no empty line": b"old 0\n" + note(3).encode().replace(b"\n\n", b"\n"),
    "a leading zero": b"old 01\n\n" + note(3).encode(),
    "a sign": b"old +1\n\n" + note(3).encode(),
    "two blanks": b"old  1\n\n" + note(3).encode(),
    "another word": b"new 1\n\n" + note(3).encode(),
    "another line end": b"old 0\r\n\r\n" + note(3).encode(),
    "a short hash": b"old 1\nAAAA\n\n" + note(3).encode(),
    "a hash that is no base64": b"old 1\n!!!!\n\n" + note(3).encode(),
    "64 hashes": b"old 1\n" + (base64.b64encode(bytes(32)) + b"\n") * 64 + b"\n" + note(3).encode(),
    "old above new": b"old 4\n\n" + note(3).encode(),
    "not UTF-8": b"old 0\n\n\xff" + note(3).encode(),
    "too long": b"old 0\n\n" + note(3).encode() + b"x" * 200_000,
}


@pytest.mark.parametrize("name", BAD)
def test_a_malformed_request_is_refused(name: str) -> None:
    with pytest.raises(MalformedMessage):
        AddCheckpoint.decode(BAD[name])


def test_sizes_are_answered_in_one_form() -> None:
    assert decode_size(encode_size(0)) == 0
    assert decode_size(encode_size(20852014)) == 20852014
    for body in ("", "5", "05\n", "-1\n", "5\n\n", "5 \n", "x\n"):
        with pytest.raises(MalformedMessage):
            decode_size(body)
