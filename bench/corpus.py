"""Signatures to verify: good ones, and a corpus of every kind of wrong one. The same seed makes the same ones."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from crypto import keys
from crypto.keys import PublicKey, SoftwareSigner

MESSAGE_BYTES = 104  # as long as what a card signs for a tap
_SIGNERS = 16
_HALF = keys.ORDER // 2


@dataclass(frozen=True, slots=True)
class Corpus:
    """Three sequences of one length, as a verifier takes them."""

    keys: list[PublicKey]
    messages: list[bytes]
    signatures: list[bytes]

    def __len__(self) -> int:
        return len(self.signatures)


def good(count: int, seed: int = 1) -> Corpus:
    """`count` signatures that verify, by a few signers."""
    source = random.Random(seed)
    signers = [SoftwareSigner.from_secret(source.getrandbits(256)) for _ in range(_SIGNERS)]
    made = Corpus([], [], [])
    for number in range(count):
        signer = signers[number % _SIGNERS]
        message = source.randbytes(MESSAGE_BYTES)
        made.keys.append(signer.public_key)
        made.messages.append(message)
        made.signatures.append(signer.sign(message))
    return made


def mutated(count: int, seed: int = 2) -> Corpus:
    """`count` cases, most of them spoiled in one place: a bit, a key, a message, a number at the edge of its range."""
    source = random.Random(seed)
    base = good(max(count // 8, 16), seed)
    made = Corpus([], [], [])
    while len(made) < count:
        place = source.randrange(len(base))
        key, message, signature = base.keys[place], base.messages[place], base.signatures[place]
        other = source.randrange(len(base))
        for changed in _spoiled(signature, base.signatures[other], source):
            made.keys.append(key)
            made.messages.append(message)
            made.signatures.append(changed)
        made.keys.extend([base.keys[other], key, key])
        made.messages.extend([message, base.messages[other], _flipped(message, source)])
        made.signatures.extend([signature] * 3)
    return Corpus(made.keys[:count], made.messages[:count], made.signatures[:count])


def _spoiled(signature: bytes, other: bytes, source: random.Random) -> Iterator[bytes]:
    r, s = signature[:32], signature[32:]
    yield signature
    yield _flipped(signature, source)
    yield s + r
    yield other
    yield r + other[32:]
    yield r + _number(keys.ORDER - int.from_bytes(s, "big"))  # the form that is not stored
    yield signature[: source.randrange(64)]
    yield signature + bytes(1)
    edges = (0, 1, 2, _HALF, _HALF + 1, keys.ORDER - 1, keys.ORDER, keys.ORDER + 1, 2**256 - 1)
    yield _number(source.choice(edges)) + s
    yield r + _number(source.choice(edges))
    yield _number(source.choice(edges)) + _number(source.choice(edges))


def _flipped(data: bytes, source: random.Random) -> bytes:
    place = source.randrange(len(data) * 8)
    return bytes(octet ^ (1 << place % 8 if number == place // 8 else 0) for number, octet in enumerate(data))


def _number(value: int) -> bytes:
    return value.to_bytes(32, "big")
