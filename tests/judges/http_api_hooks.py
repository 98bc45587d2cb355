# mypy: ignore-errors
# ruff: noqa: ANN001 - what schemathesis hands over has types only in its own environment
"""What schemathesis cannot guess, put into its valid cases: ids of the city, a password, records that are signed.

Loaded by schemathesis (SCHEMATHESIS_HOOKS) in that judge's own environment. The values come from the JSON file named in
CITY_KNOWN: {"ids": {place or field: [id ..]}, "fields": {field: value}, "bodies": {path: [base64 ..]}}.
"""

import base64
import json
import os
import random
import zlib
from collections.abc import MutableMapping
from pathlib import Path

import schemathesis

KNOWN = json.loads(Path(os.environ["CITY_KNOWN"]).read_text())
BODIES = {path: [base64.b64decode(body) for body in bodies] for path, bodies in KNOWN["bodies"].items()}


@schemathesis.hook
def before_call(_context, case, _kwargs) -> None:
    """A case that breaks the document on purpose stays as it is; most of the others meet the city's own things."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    # by the case itself, so that the same case is always the same
    chance = random.Random(zlib.crc32(repr((case.path, case.path_parameters, case.query, case.body)).encode()))
    for container in (case.path_parameters, case.query, case.headers, case.body):
        _know(container, chance)
    if case.path in BODIES and chance.random() < 0.7:
        case.body = _worn(chance.choice(BODIES[case.path]), chance).decode("latin-1")


@schemathesis.serializer("application/cbor")
def bytes_as_they_are(_context, value) -> bytes:
    """A signed message is bytes already; a case carries them as text, one character a byte, or what JSON knows."""
    return value.encode("latin-1", errors="replace") if isinstance(value, str) else json.dumps(value).encode()


def _know(value, chance) -> None:
    if isinstance(value, list):
        for one in value:
            _know(one, chance)
    if not isinstance(value, MutableMapping):
        return
    for name, held in list(value.items()):
        if name in KNOWN["fields"]:
            value[name] = KNOWN["fields"][name]
        elif name in KNOWN["ids"] and chance.random() < 0.7:
            value[name] = chance.choice(KNOWN["ids"][name])
        else:
            _know(held, chance)


def _worn(body, chance) -> bytes:
    """The body whole, cut, or with a byte or two changed."""
    how = chance.randrange(4)
    if how == 0 or not body:
        return body
    if how == 1:
        return body[: chance.randrange(len(body))]
    changed = bytearray(body)
    for _ in range(how - 1):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)
