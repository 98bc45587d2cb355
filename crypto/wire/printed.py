"""The receipt as it is printed: the same receipt, without what its reader can compute, in letters that a QR code packs.

CBOR [1, key id, signature, content]: the content is the receipt's map, where the inclusion proof is one byte string and
the checkpoint is [origin, signatures]; its size is in the map already, its root is what the proof leads to. Unpacking
gives the signed receipt back, byte for byte, so what is verified is the receipt and nothing else.

Evolution: another packing is another number in front.
"""

import base64
import binascii

from crypto import cbor, cose, tlog
from crypto.cbor import Key, Value
from crypto.errors import MalformedMessage, UnknownVersion
from crypto.tlog.tree import HASH_BYTES
from crypto.wire import header
from crypto.wire.receipt import BYTES_MAX, DOMAIN, Receipt, peek_receipt

VERSION = 1
_PROOF, _CHECKPOINT = 14, 15
_SIGNATURES_MAX = 4
_LETTERS_MAX = BYTES_MAX * 2
_MARK = "#"


def to_text(receipt: bytes) -> str:
    """The letters of a receipt, A-Z and 2-7 (RFC 4648 6, without padding).

    Raises: MalformedMessage, also where it cannot be packed: its checkpoint carries others' signatures.
    """
    parts = cose.parse(receipt)
    said = peek_receipt(receipt)
    text, signatures = tlog.split_note(said.checkpoint)
    head = tlog.Checkpoint.decode(text)
    content: dict[Key, Value] = said.encode() | {
        _PROOF: b"".join(said.inclusion_proof),
        _CHECKPOINT: [head.origin, [data for _name, data in signatures]],
    }
    packed = base64.b32encode(cbor.encode([VERSION, parts.kid, parts.signature, content])).decode("ascii").rstrip("=")
    if from_text(packed) != receipt:
        raise MalformedMessage("This receipt has no printed form.")
    return packed


def from_text(text: str) -> bytes:
    """The signed receipt, to be verified. `text` is the letters, or an address that ends in # and the letters.

    Raises: MalformedMessage, UnknownVersion, InvalidProof.
    """
    letters = text.rpartition(_MARK)[2]
    if len(letters) > _LETTERS_MAX:
        raise MalformedMessage("The text is too long to be a printed receipt.")
    match cbor.decode(_unletter(letters), depth_max=4):
        case [int(version), *_] if version != VERSION:
            raise UnknownVersion("The receipt is printed in a way that this program does not know; update the program.")
        case [1, bytes(kid), bytes(signature), dict(content)]:
            return _rebuilt(kid, signature, content)
    raise MalformedMessage("The text is not a printed receipt.")


def is_printed(text: str) -> bool:
    """Whether the text can only be a printed receipt: the binary one's base64url begins with other letters."""
    letters = text.rpartition(_MARK)[2]
    try:
        return _unletter(letters)[:1] == b"\x84"  # RFC 8949 3: an array of four
    except MalformedMessage:
        return False


def _rebuilt(kid: bytes, signature: bytes, content: dict[Key, Value]) -> bytes:
    match content.get(_PROOF), content.get(_CHECKPOINT):
        case bytes(proof), [str(origin), list(signatures)] if len(proof) % HASH_BYTES == 0:
            hashes: list[Value] = [proof[start : start + HASH_BYTES] for start in range(0, len(proof), HASH_BYTES)]
        case _:
            raise MalformedMessage("The printed receipt lacks its proof or its checkpoint.")
    said = Receipt.from_map(content | {_PROOF: hashes, _CHECKPOINT: "-"})
    leaf = tlog.leaf_hash(said.leaf())
    root = tlog.root_from_inclusion(leaf, said.leaf_index, said.tree_size, said.inclusion_proof)
    note = _note(tlog.Checkpoint(origin, said.tree_size, root), signatures)
    whole: list[Value] = [DOMAIN, header.VERSION, content | {_PROOF: hashes, _CHECKPOINT: note}]
    return cose.assemble(cbor.encode(whole), signature, kid=kid)


def _note(head: tlog.Checkpoint, signatures: list[Value]) -> str:
    text = head.encode()
    if tlog.Checkpoint.decode(text) != head or not 1 <= len(signatures) <= _SIGNATURES_MAX:
        raise MalformedMessage("The printed receipt's checkpoint is not that of a log.")
    lines = []
    for data in signatures:
        if not isinstance(data, bytes):
            raise MalformedMessage("A signature of the printed receipt's checkpoint is not bytes.")
        lines.append(f"\N{EM DASH} {head.origin} {base64.b64encode(data).decode('ascii')}\n")
    return f"{text}\n{''.join(lines)}"


def _unletter(letters: str) -> bytes:
    """The bytes of letters in their one encoding. Raises: MalformedMessage."""
    try:
        data = base64.b32decode(letters + "=" * (-len(letters) % 8))
    except (binascii.Error, ValueError) as error:
        raise MalformedMessage("A printed receipt is of the letters A to Z and the digits 2 to 7.") from error
    if base64.b32encode(data).decode("ascii").rstrip("=") != letters:
        raise MalformedMessage("The letters of the printed receipt are not in their one encoding.")
    return data
