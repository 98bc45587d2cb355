"""The transparency log: an RFC 9162 Merkle tree, published as tiles and signed checkpoints (C2SP tlog formats)."""

from crypto.tlog.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from crypto.tlog.cosignature import Cosignature, CosignatureSigner, CosignatureVerifier, cosign, cosignatures
from crypto.tlog.note import (
    NoteSigner,
    NoteVerifier,
    open_note,
    sign_note,
    signature_line,
    signatures_of,
    split_note,
)
from crypto.tlog.proofs import root_from_inclusion, verify_consistency, verify_inclusion
from crypto.tlog.tiles import (
    ENTRIES,
    Tile,
    decode_bundle,
    encode_bundle,
    hashes_of_tile,
    read_from_tiles,
    tile_bytes,
    tiles_for,
)
from crypto.tlog.tree import EMPTY_ROOT, TILE_HEIGHT, TILE_WIDTH, NewHash, Read, Tree, append, leaf_hash, node_hash
from crypto.tlog.trust import TrustedWitness, TrustPolicy
from crypto.tlog.witnessing import AddCheckpoint, Held, OtherSize, UnknownLog

__all__ = [
    "EMPTY_ROOT",
    "ENTRIES",
    "TILE_HEIGHT",
    "TILE_WIDTH",
    "AddCheckpoint",
    "Checkpoint",
    "Cosignature",
    "CosignatureSigner",
    "CosignatureVerifier",
    "Held",
    "NewHash",
    "NoteSigner",
    "NoteVerifier",
    "OtherSize",
    "Read",
    "Tile",
    "Tree",
    "TrustPolicy",
    "TrustedWitness",
    "UnknownLog",
    "append",
    "cosign",
    "cosignatures",
    "decode_bundle",
    "encode_bundle",
    "hashes_of_tile",
    "leaf_hash",
    "node_hash",
    "open_checkpoint",
    "open_note",
    "read_from_tiles",
    "root_from_inclusion",
    "sign_checkpoint",
    "sign_note",
    "signature_line",
    "signatures_of",
    "split_note",
    "tile_bytes",
    "tiles_for",
    "verify_consistency",
    "verify_inclusion",
]
