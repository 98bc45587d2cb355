"""Verifying what a log says about itself (RFC 9162 2.1.3.2 and 2.1.4.2). Empty trees prove nothing and are refused."""

import hmac
from collections.abc import Iterator, Sequence

from crypto.errors import InvalidProof
from crypto.tlog.tree import HASH_BYTES, node_hash


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> int:
    """Return `index` when the leaf hash is there in the tree of `size` leaves with this root. Raises: InvalidProof."""
    _check_hashes([leaf, root])
    _check_equal(root_from_inclusion(leaf, index, size, proof), root)
    return index


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root that the proof leads to. Raises: InvalidProof when it cannot be a proof for this place."""
    if not 0 <= index < size:
        raise InvalidProof("The leaf's number is not below the size of the log.")
    _check_hashes([leaf, *proof])
    value = leaf
    for sibling, stands_left in _climb(index, size - 1, proof):
        value = node_hash(sibling, value) if stands_left else node_hash(value, sibling)
    return value


def _climb(node: int, last: int, proof: Sequence[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each hash of the proof and whether it stands to the left, on the way from `node` up to the root."""
    for sibling in proof:
        if last == 0:
            raise InvalidProof("The proof is too long.")
        stands_left = bool(node & 1) or node == last
        yield sibling, stands_left
        while stands_left and node and not node & 1:
            node, last = node >> 1, last >> 1
        node, last = node >> 1, last >> 1
    if last != 0:
        raise InvalidProof("The proof is too short.")


def verify_consistency(old_size: int, new_size: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> int:
    """Return `new_size` when the newer tree begins with the older one. Raises: InvalidProof."""
    if not 0 < old_size <= new_size:
        raise InvalidProof("A log can be compared only with an earlier state that was not empty.")
    if old_size == new_size:
        if proof or not old_root:
            raise InvalidProof("Two states of one size need no proof, but a root each.")
        _check_equal(old_root, new_root)
        return new_size
    _check_hashes([old_root, new_root, *proof])
    if old_size & (old_size - 1) == 0:
        proof = [old_root, *proof]
    if not proof:
        raise InvalidProof("The proof is too short.")
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first = second = proof[0]
    for sibling, stands_left in _climb(node, last, proof[1:]):
        first = node_hash(sibling, first) if stands_left else first
        second = node_hash(sibling, second) if stands_left else node_hash(second, sibling)
    _check_equal(first, old_root)
    _check_equal(second, new_root)
    return new_size


def _check_hashes(hashes: Sequence[bytes]) -> None:
    if any(len(value) != HASH_BYTES for value in hashes):
        raise InvalidProof(f"Every hash of a proof has {HASH_BYTES} bytes.")


def _check_equal(computed: bytes, stated: bytes) -> None:
    if not hmac.compare_digest(computed, stated):
        raise InvalidProof("The proof leads to another root than the one stated.")
