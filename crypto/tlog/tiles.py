"""Tiles: how the tree is published in files that never change (C2SP tlog-tiles)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from crypto.errors import InvalidProof, MalformedMessage
from crypto.tlog.tree import HASH_BYTES, TILE_HEIGHT, TILE_WIDTH, Read

ENTRIES = -1  # the level of entry bundles, which hold the leaves' data
_ENTRY_BYTES_MAX = 2**16 - 1
_GROUP = 1000


@dataclass(frozen=True, slots=True)
class Tile:
    """A run of `width` hashes of a tile level, or of entries (level `ENTRIES`); a full one has 256."""

    level: int
    index: int
    width: int

    def path(self) -> str:
        """Where the tile is published, below the log's address: `tile/0/x001/234.p/12`."""
        groups: list[str] = []
        index = self.index
        while True:
            index, group = divmod(index, _GROUP)
            groups.insert(0, f"{group:03d}" if not groups else f"x{group:03d}")
            if index == 0:
                break
        level = "entries" if self.level == ENTRIES else str(self.level)
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{level}/{'/'.join(groups)}{partial}"


def tiles_for(size: int, since: int = 0) -> Iterator[Tile]:
    """The tiles and entry bundles that a log of `size` leaves has and one of `since` leaves did not."""
    for level in (ENTRIES, *range(size.bit_length() // TILE_HEIGHT + 1)):
        shift = 0 if level == ENTRIES else level * TILE_HEIGHT
        now, before = size >> shift, since >> shift
        if now > before:
            for index in range(before // TILE_WIDTH, (now + TILE_WIDTH - 1) // TILE_WIDTH):
                yield Tile(level, index, min(TILE_WIDTH, now - index * TILE_WIDTH))


def tile_bytes(read: Read, tile: Tile) -> bytes:
    """The content of a tile of hashes."""
    first = tile.index * TILE_WIDTH
    return b"".join(read(tile.level, first + column) for column in range(tile.width))


def hashes_of_tile(data: bytes, width: int) -> list[bytes]:
    """The hashes of a tile's content. Raises: MalformedMessage when there are more or fewer."""
    if len(data) != width * HASH_BYTES:
        raise MalformedMessage(f"A tile of {width} hashes has {width * HASH_BYTES} bytes, this one has {len(data)}.")
    return [data[start : start + HASH_BYTES] for start in range(0, len(data), HASH_BYTES)]


def read_from_tiles(size: int, fetch: Callable[[Tile], bytes]) -> Read:
    """A `Read` over the published tiles of a log of `size` leaves; every tile is fetched once."""
    kept: dict[Tile, list[bytes]] = {}

    def read(level: int, index: int) -> bytes:
        available = size >> level * TILE_HEIGHT
        if not 0 <= index < available:
            raise InvalidProof("The log has no such hash yet.")
        first = index // TILE_WIDTH
        tile = Tile(level, first, min(TILE_WIDTH, available - first * TILE_WIDTH))
        if tile not in kept:
            kept[tile] = hashes_of_tile(fetch(tile), tile.width)
        return kept[tile][index % TILE_WIDTH]

    return read


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """The content of an entry bundle: each leaf's data behind its length in two bytes."""
    if len(entries) > TILE_WIDTH or any(len(entry) > _ENTRY_BYTES_MAX for entry in entries):
        raise MalformedMessage("A bundle holds at most 256 entries of at most 65,535 bytes.")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def decode_bundle(data: bytes, width: int) -> list[bytes]:
    """The entries of a bundle. Raises: MalformedMessage when there are more, fewer or leftovers."""
    entries: list[bytes] = []
    position = 0
    while position < len(data) and len(entries) < width:
        start = position + 2
        position = start + int.from_bytes(data[position:start], "big")
        if position > len(data) or start > len(data):
            raise MalformedMessage("The bundle ends within an entry.")
        entries.append(data[start:position])
    if len(entries) != width or position != len(data):
        raise MalformedMessage(f"The bundle does not hold exactly {width} entries.")
    return entries
