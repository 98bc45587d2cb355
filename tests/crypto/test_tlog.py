import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from crypto import tlog
from crypto.errors import InvalidProof, MalformedMessage
from crypto.tlog import Tree
from tests.testdata import folder

LEAVES = [tlog.leaf_hash(b"leaf %d" % number) for number in range(1200)]


def read(level: int, index: int) -> bytes:
    """The leaves and, level by level, roots of full tiles, worked out the slow way."""
    width = 256**level
    return slow_root(LEAVES[index * width : (index + 1) * width])


def slow_root(leaves: Sequence[bytes]) -> bytes:
    """RFC 9162 2.1.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return tlog.node_hash(slow_root(leaves[:split]), slow_root(leaves[split:]))


def published(kind: str) -> list[dict[str, Any]]:
    return [json.loads(file.read_text()) for file in sorted((folder("merkle") / kind).rglob("*.json"))]


def decoded(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def holds_inclusion(case: dict[str, Any]) -> bool:
    proof = [decoded(item) for item in case["proof"] or []]
    leaf, root = decoded(case["leafHash"]), decoded(case["root"])
    try:
        tlog.verify_inclusion(leaf, case["leafIdx"], case["treeSize"], proof, root)
    except InvalidProof:
        return False
    return True


def holds_consistency(case: dict[str, Any]) -> bool:
    proof = [decoded(item) for item in case["proof"] or []]
    roots = decoded(case["root1"]), decoded(case["root2"])
    try:
        tlog.verify_consistency(case["size1"], case["size2"], proof, *roots)
    except InvalidProof:
        return False
    return True


@pytest.mark.judge
def test_published_inclusion_proofs_hold_or_fail_as_they_say() -> None:
    cases = published("inclusion")
    assert (len(cases), sum(not case["wantErr"] for case in cases)) == (98, 6)
    assert [case["desc"] for case in cases if holds_inclusion(case) == case["wantErr"]] == []


@pytest.mark.judge
def test_published_consistency_proofs_hold_or_fail_as_they_say() -> None:
    cases = published("consistency")
    assert (len(cases), sum(not case["wantErr"] for case in cases)) == (98, 6)
    assert [case["desc"] for case in cases if holds_consistency(case) == case["wantErr"]] == []


@pytest.mark.judge
def test_roots_and_paths_of_sizes_1_to_300_are_those_of_a_second_implementation() -> None:
    other = InmemoryTree(algorithm="sha256")
    leaves: list[bytes] = []
    for size in range(1, 301):
        entry = b"entry %d" % size
        other.append_entry(entry)
        leaves.append(tlog.leaf_hash(entry))
        # not longer than a tile and a bit: every root of a full tile is among these
        tree = Tree(lambda level, index: slow_root(leaves[index * 256**level : (index + 1) * 256**level]), size)
        assert tree.root() == other.get_root()
        if size % 7 == 0:
            index = size * 5 // 7
            path = other.prove_inclusion(index + 1, size).serialize()["path"]
            assert [item.hex() for item in tree.inclusion_proof(index)] == path[1:]


@given(st.integers(1, len(LEAVES)), st.data())
def test_every_proof_of_a_tree_verifies(size: int, data: st.DataObject) -> None:
    tree = Tree(read, size)
    assert tree.root() == slow_root(LEAVES[:size])
    index = data.draw(st.integers(0, size - 1))
    proof = tree.inclusion_proof(index)
    assert tlog.verify_inclusion(LEAVES[index], index, size, proof, tree.root()) == index
    old = data.draw(st.integers(1, size))
    consistency = tree.consistency_proof(old)
    assert tlog.verify_consistency(old, size, consistency, slow_root(LEAVES[:old]), tree.root()) == size


@given(st.integers(2, 300), st.data())
def test_no_changed_proof_verifies(size: int, data: st.DataObject) -> None:
    tree = Tree(read, size)
    index = data.draw(st.integers(0, size - 1))
    proof = list(tree.inclusion_proof(index))
    match data.draw(st.sampled_from(["flip", "drop", "add", "leaf", "place", "size"])):
        case "flip":
            place = data.draw(st.integers(0, len(proof) - 1))
            proof[place] = bytes((proof[place][0] ^ 1,)) + proof[place][1:]
            changed = (LEAVES[index], index, size, proof)
        case "drop":
            changed = (LEAVES[index], index, size, proof[:-1])
        case "add":
            changed = (LEAVES[index], index, size, [*proof, bytes(32)])
        case "leaf":
            changed = (LEAVES[-1], index, size, proof)
        case "place":
            changed = (LEAVES[index], (index + 1) % size, size, proof)
        case _:
            changed = (LEAVES[index], index, index, proof)
    with pytest.raises(InvalidProof):
        tlog.verify_inclusion(*changed, tree.root())


def test_an_empty_tree_has_a_root_and_proves_nothing() -> None:
    empty = Tree(read, 0)
    assert empty.root() == tlog.EMPTY_ROOT == hashlib.sha256(b"").digest()
    with pytest.raises(InvalidProof):
        empty.inclusion_proof(0)
    with pytest.raises(InvalidProof):
        tlog.verify_inclusion(b"", 0, 0, [], tlog.EMPTY_ROOT)
    with pytest.raises(InvalidProof):
        tlog.verify_consistency(0, 1, [], tlog.EMPTY_ROOT, LEAVES[0])
    with pytest.raises(InvalidProof):
        tlog.verify_consistency(0, 0, [], tlog.EMPTY_ROOT, tlog.EMPTY_ROOT)


@given(st.lists(st.integers(1, 600), min_size=1, max_size=4))
def test_a_log_that_grows_in_any_steps_stores_the_same_hashes(steps: list[int]) -> None:
    stored: dict[tuple[int, int], bytes] = {}
    size = 0
    for wanted in steps:
        step = min(wanted, len(LEAVES) - size)
        for item in tlog.append(lambda level, index: stored[level, index], size, LEAVES[size : size + step]):
            assert (item.level, item.index) not in stored
            stored[item.level, item.index] = item.hash
        size += step
    assert stored == {(level, index): read(level, index) for level in (0, 1) for index in range(size // 256**level)}
    assert Tree(lambda level, index: stored[level, index], size).root() == slow_root(LEAVES[:size])


def test_a_reader_with_nothing_but_tiles_can_verify() -> None:
    size = 1000
    files = {tile.path(): tlog.tile_bytes(read, tile) for tile in tlog.tiles_for(size) if tile.level != tlog.ENTRIES}
    assert sorted(files) == ["tile/0/000", "tile/0/001", "tile/0/002", "tile/0/003.p/232", "tile/1/000.p/3"]
    tree = Tree(tlog.read_from_tiles(size, lambda tile: files[tile.path()]), size)
    assert tree.root() == slow_root(LEAVES[:size])
    tlog.verify_inclusion(LEAVES[123], 123, size, tree.inclusion_proof(123), tree.root())
    with pytest.raises(InvalidProof):
        tlog.read_from_tiles(size, lambda tile: files[tile.path()])(0, size)


def test_only_new_and_grown_tiles_are_published_again() -> None:
    assert [tile.path() for tile in tlog.tiles_for(600, since=500)] == [
        "tile/entries/001",
        "tile/entries/002.p/88",
        "tile/0/001",
        "tile/0/002.p/88",
        "tile/1/000.p/2",
    ]
    assert list(tlog.tiles_for(600, since=600)) == []


def test_tile_paths_are_those_of_the_specification() -> None:
    # C2SP tlog-tiles, "Merkle Tree": the example for index 1234067
    assert tlog.Tile(0, 1234067, 256).path() == "tile/0/x001/x234/067"
    assert tlog.Tile(1, 0, 5).path() == "tile/1/000.p/5"


@given(st.lists(st.binary(max_size=50), max_size=256))
def test_bundles_of_entries_are_read_as_they_were_written(entries: list[bytes]) -> None:
    bundle = tlog.encode_bundle(entries)
    assert tlog.decode_bundle(bundle, len(entries)) == entries
    for width in {len(entries) + 1, max(0, len(entries) - 1)} - {len(entries)}:
        with pytest.raises(MalformedMessage):
            tlog.decode_bundle(bundle, width)


def test_a_cut_bundle_or_tile_is_refused() -> None:
    for data in (b"\x00", b"\x00\x05ab"):
        with pytest.raises(MalformedMessage):
            tlog.decode_bundle(data, 1)
    with pytest.raises(MalformedMessage):
        tlog.hashes_of_tile(bytes(63), 2)
    with pytest.raises(MalformedMessage):
        tlog.encode_bundle([bytes(65536)])
