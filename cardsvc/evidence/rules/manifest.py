"""The manifest: what an export says of itself, and whether the city sealed those words."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from cardsvc.evidence.rules import tables
from cardsvc.evidence.rules.files import File
from cardsvc.evidence.rules.findings import Finding
from cardsvc.evidence.rules.lines import read_text
from crypto.errors import CryptoError
from crypto.wire.citykeys import CityKeys
from crypto.wire.evidence import open_seal

FACTS: Final = ("format", "program", "schema", "city", "log", "tree_size", "root", "taken_at")
_SINGLE: Final = frozenset({tables.CITY_KEYS_FILE, *(tables.path_of(table) for table in tables.ONE_FILE)})
_NUMBERED: Final = re.compile(rf"({'|'.join(table.name for table in tables.FOLDERS)})/([0-9]{{12}})\.tsv", re.ASCII)


@dataclass(frozen=True, slots=True)
class Listed:
    """A file as the manifest names it; `line` is where."""

    line: int
    path: str
    sha256: str


@dataclass(slots=True)
class Manifest:
    """`sealed`: the city signed these very bytes, so that the hashes in it are the city's word."""

    facts: dict[str, str] = field(default_factory=dict)
    files: dict[str, Listed] = field(default_factory=dict)
    sealed: bool = False
    tree_size: int = 0
    root: bytes = b""
    readable: bool = True

    def numbered(self, folder: str) -> Iterator[tuple[int, str]]:
        """The files of a folder in the order of their first lines."""
        for path in sorted(self.files):
            match = _NUMBERED.fullmatch(path)
            if match is not None and match[1] == folder:
                yield int(match[2]), path


def read_manifest(data: bytes, seal: bytes | None, city_keys: CityKeys, found: list[Finding]) -> Manifest:
    """Everything that it says, as far as it can be read; what is wrong with it is among the findings."""
    manifest = Manifest()
    for place, fields in File(tables.MANIFEST_FILE, data).rows(tables.MANIFEST, 0, found):
        if fields is None:
            manifest.readable = False
            continue
        _, name, value, sha256, _size, _lines = fields
        if name != "file":
            manifest.facts[name] = read_text(value) or ""
        elif value in _SINGLE or _NUMBERED.fullmatch(value):
            manifest.files[value] = Listed(place, value, sha256)
        else:
            found.append(Finding(tables.MANIFEST_FILE, place, "", "manifest", f"it names a file that is none: {value}"))
    if manifest.readable:
        _read_facts(manifest, found)
    _read_seal(manifest, data, seal, city_keys, found)
    return manifest


def _read_facts(manifest: Manifest, found: list[Finding]) -> None:
    facts = manifest.facts
    if tuple(facts) != FACTS or facts["format"] not in (tables.FORMAT, tables.WITHOUT_COSIGNATURES):
        problem = f"it is not of the format {tables.FORMAT} or {tables.WITHOUT_COSIGNATURES}"
        found.append(Finding(tables.MANIFEST_FILE, None, "", "manifest", problem))
        manifest.readable = False
        return
    try:
        manifest.tree_size, manifest.root = int(facts["tree_size"]), bytes.fromhex(facts["root"])
    except ValueError as error:
        found.append(Finding(tables.MANIFEST_FILE, None, "", "manifest", str(error)))
        manifest.readable = False
    needed, newer = _SINGLE, frozenset({tables.path_of(tables.COSIGNATURES)})
    if facts["format"] == tables.WITHOUT_COSIGNATURES:
        needed = _SINGLE - newer
        for path in newer & manifest.files.keys():
            problem = f"it names {path}, which its format has not"
            found.append(Finding(tables.MANIFEST_FILE, manifest.files[path].line, "", "manifest", problem))
    for path in sorted(needed - manifest.files.keys()):
        found.append(Finding(tables.MANIFEST_FILE, None, "", "missing", f"it does not name {path}"))
        manifest.readable = False


def _read_seal(manifest: Manifest, data: bytes, seal: bytes | None, city_keys: CityKeys, found: list[Finding]) -> None:
    if seal is None:
        found.append(Finding(tables.SEAL_FILE, None, "", "missing", "the city's seal is missing"))
        return
    try:
        opened = open_seal(seal, city_keys)
    except CryptoError as error:
        found.append(Finding(tables.SEAL_FILE, None, "", "seal", f"the city's seal does not hold: {error}"))
        return
    if opened.manifest_hash != hashlib.sha256(data).digest():
        _say_changed(found)
        return
    manifest.sealed = manifest.readable
    if manifest.readable and (opened.tree_size, opened.root) != (manifest.tree_size, manifest.root):
        problem = "it names another position of the log than the seal"
        found.append(Finding(tables.MANIFEST_FILE, None, "", "seal", problem))


def _say_changed(found: list[Finding]) -> None:
    if not any(one.file == tables.MANIFEST_FILE for one in found):
        problem = "it is not the manifest that the city sealed: it was edited, or the seal is another export's"
        found.append(Finding(tables.MANIFEST_FILE, None, "", "seal", problem))
