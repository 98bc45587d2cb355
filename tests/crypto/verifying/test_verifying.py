"""Every verifier gives the verdicts of `keys.verify`: on published vectors, and on a corpus of spoiled signatures."""

import ctypes
import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from bench.corpus import Corpus, good, mutated
from crypto import keys, verifying
from crypto.errors import CryptoError, InvalidSignature
from crypto.keys import Ed25519Signer
from crypto.verifying import AcceleratorAbsent, Lanes, MultiBuffer, Portable, Threaded, Verifier
from crypto.verifying.lanes import LOT
from crypto.verifying.multibuffer import WIDTH, self_test
from tests.judges.wheels import judge_files
from tests.testdata import folder


class SlowLanes:
    """Lanes as the library keeps them, unpacked again and verified one by one; `refuses` picks lanes it will not do."""

    def __init__(self, refuses: Callable[[int], bool] = lambda _lane: False, *, lies: bool = False) -> None:
        self.refuses = refuses
        self.lies = lies
        self.seen = 0

    def accepted(self, digests: bytes, signatures: bytes, points: bytes, /) -> list[bool]:
        count = len(digests) // 32
        assert count <= LOT
        assert (len(signatures), len(points)) == (count * 64, count * 64)
        return [self._one(lane, digests, signatures, points) for lane in range(count)]

    def _one(self, lane: int, digests: bytes, signatures: bytes, points: bytes) -> bool:
        self.seen += 1
        if self.lies:
            return True
        if self.refuses(lane):
            return False
        x, y = (int.from_bytes(points[lane * 64 + at : lane * 64 + at + 32], "little") for at in (0, 32))
        key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        r, s = (int.from_bytes(signatures[lane * 64 + at : lane * 64 + at + 32], "big") for at in (0, 32))
        digest = digests[lane * 32 : lane * 32 + 32]
        try:
            key.verify(encode_dss_signature(r, s), digest, ec.ECDSA(Prehashed(hashes.SHA256())))
        except Exception:  # noqa: BLE001 - the library says no without saying why
            return False
        return True


def accelerator() -> MultiBuffer | str:
    """The accelerator, or why there is none on this machine."""
    try:
        return verifying.open_accelerator()
    except AcceleratorAbsent as absent:
        return str(absent)


ACCELERATOR = accelerator()


MAKERS: dict[str, Callable[[], Verifier]] = {
    "portable": Portable,
    "threads": lambda: Threaded(Portable(), 2),
    "lanes": lambda: Lanes(SlowLanes()),
    "lanes that refuse everything": lambda: Lanes(SlowLanes(lambda _lane: True)),
    "lanes that refuse every third": lambda: Lanes(SlowLanes(lambda lane: lane % 3 == 0)),
}
if isinstance(ACCELERATOR, MultiBuffer):  # elsewhere nobody can run it; that it says so is tested below
    MAKERS["the accelerator"] = partial(Lanes, ACCELERATOR)
    MAKERS["the accelerator on threads"] = partial(Threaded, Lanes(ACCELERATOR), 2)


@pytest.fixture(params=MAKERS)
def verifier(request: pytest.FixtureRequest) -> Verifier:
    return MAKERS[request.param]()


def alone(corpus: Corpus) -> list[bool]:
    """What `keys.verify` says of each."""
    verdicts = []
    for case in zip(corpus.keys, corpus.messages, corpus.signatures, strict=True):
        try:
            keys.verify(*case)
        except InvalidSignature:
            verdicts.append(False)
        else:
            verdicts.append(True)
    return verdicts


def wycheproof() -> Corpus:
    """Published cases, each in the stored form where it has one: as a card's answer is brought into it."""
    data = json.loads((folder("wycheproof") / "ecdsa_secp256r1_sha256_test.json").read_text())
    made = Corpus([], [], [])
    for group in data["testGroups"]:
        key = keys.load_point(bytes.fromhex(group["publicKey"]["uncompressed"]))
        for case in group["tests"]:
            der = bytes.fromhex(case["sig"])
            made.keys.append(key)
            made.messages.append(bytes.fromhex(case["msg"]))
            made.signatures.append(stored(der))
    return made


def stored(der: bytes) -> bytes:
    try:
        return keys.normalise(keys.der_to_raw(der))
    except CryptoError:
        return der


def cavp() -> Corpus:
    file = judge_files("cryptography-vectors") / "cryptography_vectors/asymmetric/ECDSA/FIPS_186-3/SigVer.rsp"
    text = file.read_text().partition("[P-256,SHA-256]")[2].partition("\n[")[0]
    made = Corpus([], [], [])
    for block in re.split(r"\r?\n\r?\n", text.strip()):
        case = {name: value.rjust(64, "0") for name, value in re.findall(r"^(\w+) = (.*?)\s*$", block, re.MULTILINE)}
        made.keys.append(keys.load_point(bytes.fromhex("04" + case["Qx"] + case["Qy"])))
        made.messages.append(bytes.fromhex(case["Msg"]))
        made.signatures.append(keys.normalise(bytes.fromhex(case["R"] + case["S"])))
    return made


def test_on_a_corpus_of_spoiled_signatures_no_verdict_differs(verifier: Verifier) -> None:
    corpus = mutated(2000)
    expected = alone(corpus)
    assert 0 < sum(expected) < len(corpus) / 4
    assert verifier.verdicts(corpus.keys, corpus.messages, corpus.signatures) == expected


def test_on_wycheproofs_vectors_no_verdict_differs(verifier: Verifier) -> None:
    corpus = wycheproof()
    expected = alone(corpus)
    assert sum(expected) > 100
    assert verifier.verdicts(corpus.keys, corpus.messages, corpus.signatures) == expected


@pytest.mark.judge
def test_on_the_vectors_of_nist_no_verdict_differs(verifier: Verifier) -> None:
    corpus = cavp()
    expected = alone(corpus)
    assert (len(expected), sum(expected)) == (15, 3)
    assert verifier.verdicts(corpus.keys, corpus.messages, corpus.signatures) == expected


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 31, 64, 65, LOT, LOT + 1])
def test_every_number_of_signatures_gets_its_verdicts_in_order(verifier: Verifier, count: int) -> None:
    corpus = good(count)
    wrong = set(range(0, count, 5))
    given = [bytes(64) if place in wrong else signature for place, signature in enumerate(corpus.signatures)]
    verdicts = verifier.verdicts(corpus.keys, corpus.messages, given)
    assert verdicts == [place not in wrong for place in range(count)]


def test_a_key_that_is_not_on_the_curve_of_the_lanes_is_verified_beside_them(verifier: Verifier) -> None:
    signer, corpus = Ed25519Signer.from_secret(7), good(2)
    public_keys = [corpus.keys[0], signer.public_key, signer.public_key, corpus.keys[1]]
    messages = [corpus.messages[0], b"log", b"lag", corpus.messages[1]]
    signatures = [corpus.signatures[0], signer.sign(b"log"), signer.sign(b"log"), corpus.signatures[1]]
    assert verifier.verdicts(public_keys, messages, signatures) == [True, True, False, True]


def test_good_signatures_are_left_to_the_lanes_alone() -> None:
    corpus, lanes = good(20), SlowLanes()
    assert all(Lanes(lanes).verdicts(corpus.keys, corpus.messages, corpus.signatures))
    assert lanes.seen == 20


def test_lanes_that_accept_a_wrong_signature_fail_their_self_test() -> None:
    with pytest.raises(AcceleratorAbsent, match="mistakes"):
        self_test(SlowLanes(lies=True))


def test_lanes_that_refuse_a_good_signature_fail_their_self_test() -> None:
    with pytest.raises(AcceleratorAbsent, match="refuses good"):
        self_test(SlowLanes(lambda lane: lane == 5))


def test_right_lanes_pass_their_self_test() -> None:
    self_test(SlowLanes())


class FakeLibrary:
    """Stands where the library would be called, and reads the lanes through the pointers that it is given."""

    def __init__(self) -> None:
        self.calls: list[list[bytes]] = []
        self.mbx_nistp256_ecdsa_verify_mb8 = self._Function(self)

    class _Function:
        argtypes: object = None
        restype: object = None

        def __init__(self, library: "FakeLibrary") -> None:
            self.library = library

        def __call__(self, *arguments: Any) -> int:
            r, s, digests, x, y, z, scratch = arguments
            assert z is scratch is None
            lanes = [
                b"".join(ctypes.string_at(part[lane], 32) for part in (r, s, digests, x, y)) for lane in range(WIDTH)
            ]
            self.library.calls.append(lanes)
            # four bits a lane: nothing where it is right; here lane 2 says "signature" and lane 7 "unsupported"
            return 8 << 2 * 4 | 10 << 7 * 4


def test_lanes_are_packed_as_the_library_reads_them_and_its_status_is_read_lane_by_lane() -> None:
    library: Any = FakeLibrary()
    opened, count = MultiBuffer(library), 19
    digests = b"".join(bytes([1, number]) * 16 for number in range(count))
    signatures = b"".join(bytes([2, number]) * 16 + bytes([3, number]) * 16 for number in range(count))
    points = b"".join(bytes([4, number]) * 16 + bytes([5, number]) * 16 for number in range(count))
    answers = opened.accepted(digests, signatures, points)
    assert answers == [lane % WIDTH not in (2, 7) for lane in range(count)]
    lanes = [lane for call in library.calls for lane in call][:count]
    assert lanes == [b"".join(bytes([part, n]) * 16 for part in (2, 3, 1, 4, 5)) for n in range(count)]


def test_what_is_chosen_says_why() -> None:
    choice = verifying.chosen()
    assert choice.name in ("accelerated", "portable")
    assert choice.reason.endswith(".")
    corpus = good(3)
    assert choice.verifier.verdicts(corpus.keys, corpus.messages, corpus.signatures) == [True] * 3


def test_the_accelerator_passes_its_self_test_or_says_what_the_machine_lacks() -> None:
    if isinstance(ACCELERATOR, MultiBuffer):
        self_test(ACCELERATOR)
    else:
        assert re.search("processor|package|library", ACCELERATOR), ACCELERATOR
        assert verifying.chosen().name == "portable"


@pytest.fixture(scope="module", autouse=True)
def _threads_end() -> Iterator[None]:
    yield
    verifying.chosen.cache_clear()
