"""Makes log-v1.json: printed receipts, cosignatures and requests to a witness; to be read or refused with a code.

Run `python -m tests.vectors.make_log` only to add cases; a case that was published never changes. Refused ones are put
together with cbor2 and base64, one fault each.
"""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import cbor2

from crypto import tlog
from crypto.keys import Ed25519Signer
from crypto.tlog import AddCheckpoint, Checkpoint, CosignatureSigner, NoteSigner
from crypto.wire import printed
from tests.testdata import vectors

WIRE = json.loads(vectors("wire-v1.json").read_text())
RECEIPTS = {c["name"]: bytes.fromhex(c["hex"]) for c in WIRE["cases"] if c["message"] == "receipt"}
GOOD = printed.to_text(RECEIPTS["receipt of an accepted tap"])
LOG = NoteSigner("city.example/log", Ed25519Signer.from_secret(3))
WITNESS = CosignatureSigner("witness.example/w1", Ed25519Signer.from_secret(4))
LEAVES = [tlog.leaf_hash(b"leaf %d" % number) for number in range(9)]
AT = 1679315147


@dataclass(frozen=True, slots=True)
class Case:
    """`text` is the message; `error` the code of the refusal, None where it is accepted."""

    name: str
    message: str
    text: str
    error: str | None = None


def lettered(parts: Any) -> str:
    return base64.b32encode(cbor2.dumps(parts)).decode().rstrip("=")


def printed_receipts() -> Iterator[Case]:
    for name in ("receipt of an accepted tap", "receipt of a rejected tap", "receipt signed by a terminal"):
        error = "invalid_signature" if "terminal" in name else None
        yield Case(f"printed {name}", "printed", printed.to_text(RECEIPTS[name]), error)
    yield Case("printed behind an address", "printed", f"https://card.example.ph/verify#{GOOD}")
    parts = cbor2.loads(base64.b32decode(GOOD + "=" * (-len(GOOD) % 8)))
    faults: dict[str, tuple[Callable[[list[Any]], Any], str]] = {
        "of another version": (lambda p: [2, *p[1:]], "unknown_version"),
        "with a part too many": (lambda p: [*p, 0], "malformed"),
        "with a short signature": (lambda p: [*p[:2], p[2][:-1], p[3]], "malformed"),
        "with half a hash": (lambda p: [*p[:3], p[3] | {14: p[3][14] + b"\x00"}], "malformed"),
        "with a hash too few": (lambda p: [*p[:3], p[3] | {14: p[3][14][:-32]}], "invalid_proof"),
        "with its hashes as a list": (lambda p: [*p[:3], p[3] | {14: [p[3][14][:32]]}], "malformed"),
        "with its checkpoint as text": (lambda p: [*p[:3], p[3] | {15: "city.example/log\n"}], "malformed"),
        "without signatures of the log": (lambda p: [*p[:3], p[3] | {15: [p[3][15][0], []]}], "malformed"),
        "of another log": (lambda p: [*p[:3], p[3] | {15: ["else.example", p[3][15][1]]}], "invalid_signature"),
        "with another amount": (lambda p: [*p[:3], p[3] | {6: 1}], "invalid_signature"),
        "with an unknown field": (lambda p: [*p[:3], p[3] | {99: 1}], "malformed"),
    }
    for name, (change, error) in faults.items():
        yield Case(f"printed {name}", "printed", lettered(change(list(parts))), error)
    yield Case("printed in small letters", "printed", GOOD.lower(), "malformed")
    yield Case("printed with padding", "printed", GOOD + "=" * (-len(GOOD) % 8), "malformed")


def head(size: int) -> Checkpoint:
    return Checkpoint(LOG.name, size, tlog.Tree(lambda _level, index: LEAVES[index], size).root())


def cosignatures() -> Iterator[Case]:
    note, text = tlog.sign_checkpoint(head(5), [LOG]), head(5).encode()
    line = tlog.cosign(text, WITNESS, AT)
    yield Case("cosignature", "cosigned", note + line)
    data = base64.b64decode(line.split(" ")[2])

    def changed(value: bytes) -> str:
        return f"{note}\N{EM DASH} {WITNESS.name} {base64.b64encode(value).decode()}\n"

    yield Case("cosignature of another time", "cosigned", changed(data[:11] + b"\x00" + data[12:]), "invalid_signature")
    yield Case("cosignature of no time", "cosigned", changed(data[:4] + bytes(8) + data[12:]), "invalid_signature")
    yield Case("cosignature that is cut", "cosigned", changed(data[:-1]), "invalid_signature")
    other = tlog.cosign(head(6).encode(), WITNESS, AT)
    yield Case("cosignature of another head", "cosigned", note + other, "invalid_signature")


def requests() -> Iterator[Case]:
    proof = tlog.Tree(lambda _level, index: LEAVES[index], 9).consistency_proof(5)
    good = AddCheckpoint(5, proof, tlog.sign_checkpoint(head(9), [LOG])).encode().decode()
    yield Case("request from five leaves to nine", "add-checkpoint", good)
    yield Case("request of another size", "add-checkpoint", good.replace("old 5", "old 4"), "other_size")
    yield Case("request with a zero too many", "add-checkpoint", good.replace("old 5", "old 05"), "malformed")
    yield Case("request above its checkpoint", "add-checkpoint", good.replace("old 5", "old 10"), "malformed")
    first, *rest = good.split("\n")
    yield Case("request with a hash too few", "add-checkpoint", "\n".join([first, *rest[1:]]), "invalid_proof")
    yield Case("request with another line end", "add-checkpoint", good.replace("\n", "\r\n"), "malformed")
    stranger = NoteSigner("else.example/log", LOG.signer)
    unknown = tlog.sign_checkpoint(Checkpoint(stranger.name, 9, head(9).root), [stranger])
    yield Case("request of an unknown log", "add-checkpoint", f"old 0\n\n{unknown}", "unknown_log")


def main() -> None:
    cases = [asdict(case) for part in (printed_receipts, cosignatures, requests) for case in part()]
    content = {
        "version": 1,
        "city_keys": WIRE["city_keys"],
        "log": LOG.verifier.format(),
        "witness": WITNESS.verifier.format(),
        "held": {"size": 5, "root": head(5).root.hex()},
        "cases": cases,
    }
    vectors("log-v1.json").write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
