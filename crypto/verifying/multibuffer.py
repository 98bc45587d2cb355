"""Eight P-256 verifications at once by Intel's multi-buffer library: PyPI's `ipp-crypto`, through ctypes.

The library is optional and for x86 only. It needs AVX-512 IFMA or AVX-IFMA, Intel's compiler runtime (PyPI's
`intel-cmplr-lib-rt`, under a licence of its own) and the system's OpenSSL 3. Names and numbers are those of its headers
`crypto_mb/cpu_features.h`, `status.h` and `ec_nistp256.h`.
"""

import ctypes
import hashlib
import threading
from importlib import metadata
from typing import ClassVar, Final

from crypto.errors import CryptoError
from crypto.keys import SoftwareSigner
from crypto.verifying.lanes import LOT, LaneVerifier, packed_point

WIDTH: Final = 8  # MBX_WIDTH_MB8
_EC_NIST_P256: Final = 5  # enum MBX_ALGO
_STATUS_BITS: Final = 4  # of each lane (MBX_GET_STS); 0 is MBX_STATUS_OK
_RUNTIME: Final = ("libintlc.so.5", "libirng.so", "libimf.so", "libsvml.so")  # in the order of what needs what
_LIBRARY: Final = "libcrypto_mb.so.13"
_DIGEST, _SCALAR, _SIGNATURE, _POINT = 32, 32, 64, 64


class AcceleratorAbsent(CryptoError):
    """The accelerator cannot be used here; the sentence says what is missing. The portable path is always there."""

    code: ClassVar[str] = "accelerator_absent"


class _Lot(threading.local):
    """A thread's own memory for one lot of lanes. What is where never changes, so the pointers are made once."""

    def __init__(self) -> None:
        self.digests = ctypes.create_string_buffer(LOT * _DIGEST)
        self.signatures = ctypes.create_string_buffer(LOT * _SIGNATURE)
        self.points = ctypes.create_string_buffer(LOT * _POINT)
        at = ctypes.addressof
        r, x, digest = at(self.signatures), at(self.points), at(self.digests)
        # the order of mbx_nistp256_ecdsa_verify_mb8: r, s, message, x, y
        starts = (r, _SIGNATURE), (r + _SCALAR, _SIGNATURE), (digest, _DIGEST), (x, _POINT), (x + _POINT // 2, _POINT)
        self.calls = [
            tuple(_pointers(start + first * stride, stride) for start, stride in starts)
            for first in range(0, LOT, WIDTH)
        ]


def _pointers(first: int, stride: int) -> ctypes.Array[ctypes.c_void_p]:
    return (ctypes.c_void_p * WIDTH)(*(first + lane * stride for lane in range(WIDTH)))


class MultiBuffer:
    """The library, asked for up to `LOT` lanes at a time; any number of threads may ask, each has memory of its own."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._verify = library.mbx_nistp256_ecdsa_verify_mb8
        self._verify.argtypes = [ctypes.c_void_p] * 7
        self._verify.restype = ctypes.c_uint32
        self._lot = _Lot()

    def accepted(self, digests: bytes, signatures: bytes, points: bytes, /) -> list[bool]:
        count = len(digests) // _DIGEST
        lot = self._lot
        ctypes.memmove(lot.digests, digests, count * _DIGEST)
        ctypes.memmove(lot.signatures, signatures, count * _SIGNATURE)
        ctypes.memmove(lot.points, points, count * _POINT)
        answers: list[bool] = []
        # lanes behind the last one hold what an earlier lot left, or zeros: they are computed and not looked at
        for call in lot.calls[: -(-count // WIDTH)]:
            # no z coordinates: the points are affine; no scratch buffer: the library has its own
            status = self._verify(*call, None, None)
            answers += [not status >> lane * _STATUS_BITS & 0xF for lane in range(WIDTH)]
        return answers[:count]


def open_accelerator() -> MultiBuffer:
    """The library, when it is installed, says that it is made for this processor, and passes its self-test.

    Raises: AcceleratorAbsent.
    """
    library = _load()
    library.mbx_get_algo_info.argtypes = [ctypes.c_int]
    library.mbx_get_algo_info.restype = ctypes.c_uint64
    if not library.mbx_get_algo_info(_EC_NIST_P256) & WIDTH:
        raise AcceleratorAbsent("The processor has neither AVX-512 IFMA nor AVX-IFMA.")
    opened = MultiBuffer(library)
    self_test(opened)
    return opened


def self_test(lanes: LaneVerifier) -> None:
    """Let every lane of a call be right once and wrong in each way once. A library that accepts a single wrong one is
    never used; one that refuses a right one is not worth it.

    Raises: AcceleratorAbsent.
    """
    signer = SoftwareSigner.from_secret(2**255 - 19)
    point = packed_point(signer.public_key)
    messages = [bytes([number]) * 80 for number in range(WIDTH)]
    digests = [hashlib.sha256(message).digest() for message in messages]
    signatures = [signer.sign(message) for message in messages]
    if lanes.accepted(b"".join(digests), b"".join(signatures), point * WIDTH) != [True] * WIDTH:
        raise AcceleratorAbsent("The multi-buffer library refuses good signatures: it is not used.")
    for wrong in range(WIDTH):
        for bad_digest, bad_signature in (
            (_changed(digests[wrong], 31), signatures[wrong]),
            (digests[wrong], _changed(signatures[wrong], 31)),
            (digests[wrong], _changed(signatures[wrong], 63)),
            (digests[wrong], signatures[wrong - 1]),
            (digests[wrong], bytes(64)),
        ):
            tried = [*digests[:wrong], bad_digest, *digests[wrong + 1 :]]
            given = [*signatures[:wrong], bad_signature, *signatures[wrong + 1 :]]
            expected = [lane != wrong for lane in range(WIDTH)]
            if lanes.accepted(b"".join(tried), b"".join(given), point * WIDTH) != expected:
                raise AcceleratorAbsent("The multi-buffer library mistakes a signature: it is not used.")


def _changed(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def _load() -> ctypes.CDLL:
    """The library and what it stands on, each from where its package put it."""
    for name in _RUNTIME:
        _open("intel-cmplr-lib-rt", name)
    return _open("ipp-crypto", _LIBRARY)


def _open(package: str, name: str) -> ctypes.CDLL:
    try:
        files = metadata.files(package) or []
        path = next(file.locate() for file in files if file.name == name)
        return ctypes.CDLL(str(path))
    except (metadata.PackageNotFoundError, StopIteration) as error:
        raise AcceleratorAbsent(f"The package {package} is not installed (extra: accel).") from error
    except OSError as error:
        raise AcceleratorAbsent(f"The library {name} cannot be loaded: {error}.") from error
