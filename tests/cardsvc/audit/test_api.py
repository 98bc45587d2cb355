"""The log as anybody on the network sees it."""

import base64
import secrets
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from cardsvc import audit, db, web
from cardsvc.audit.api import blueprint
from cardsvc.clock import FixedClock
from cardsvc.settings import Environment, Settings
from cardsvc.vault import Vault
from crypto import tlog


def leaf(number: int) -> audit.Leaf:
    return audit.Leaf(UUID(int=number + 1), bytes([number % 256]) * 32, "accepted", None, None, bytes(32))


def make_city(engine: Engine, vault: Vault, clock: FixedClock, home: Path) -> web.City:
    settings = Settings(
        env=Environment.TEST,
        home=home,
        database_url=str(engine.url),
        city_name="Maharlika City",
        log_origin=vault.log_origin,
        public_url="http://127.0.0.1",
        vault_passphrase="not needed",
        bind_host="127.0.0.1",
        port=0,
    )
    return web.City(settings, clock, engine, vault, handlers=None, random_bytes=secrets.token_bytes)


@pytest.fixture
def log_client(engine: Engine, vault: Vault, clock: FixedClock, tmp_path: Path) -> FlaskClient:
    """A service with nothing but the log: 700 leaves, of which a head covers 650."""
    app = Flask("log")
    web.init(app, make_city(engine, vault, clock, tmp_path))
    web.register(app, blueprint)
    for first, last in ((0, 300), (300, 650)):
        db.run(engine, lambda session, first=first, last=last: audit.append(session, [*map(leaf, range(first, last))]))  # type: ignore[misc]
        db.run(engine, lambda session: audit.publish(session, vault, clock.now()))
    db.run(engine, lambda session: audit.append(session, [*map(leaf, range(650, 700))]))
    return app.test_client()


def unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_a_stranger_mirrors_the_log_and_finds_the_signed_root(log_client: FlaskClient, vault: Vault) -> None:
    answer = log_client.get("/log/checkpoint")
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.content_type == "text/plain; charset=utf-8"
    head = tlog.open_checkpoint(answer.text, [vault.note_signer().verifier])
    assert head.size == 650

    def fetch(tile: tlog.Tile) -> bytes:
        got = log_client.get(f"/log/{tile.path()}")
        assert (got.status_code, got.content_type) == (200, "application/octet-stream")
        assert got.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        return bytes(got.data)

    read = tlog.read_from_tiles(head.size, fetch)
    assert tlog.Tree(read, head.size).root() == head.root
    [first] = [tile for tile in tlog.tiles_for(650) if tile.level == tlog.ENTRIES and tile.index == 2]
    assert first.width == 138
    data = tlog.decode_bundle(fetch(first), first.width)
    assert [tlog.leaf_hash(one) for one in data] == [read(0, 512 + n) for n in range(138)]


@pytest.mark.parametrize(
    ("place", "status"),
    [
        ("0/000", 200),
        ("0/001", 200),
        ("0/002", 404),  # not full yet
        ("0/002.p/138", 200),
        ("0/002.p/1", 200),  # an older partial tile
        ("0/002.p/139", 404),  # stored, and not under a signed head
        ("0/002.p/0", 404),
        ("0/002.p/01", 404),
        ("0/000.p/256", 404),  # a full tile has one name
        ("0/000.p/300", 404),
        ("0/0", 404),
        ("0/x000/000", 404),
        ("00/000", 404),
        ("-1/000", 404),
        ("1/000.p/2", 200),
        ("1/000.p/3", 404),
        ("2/000.p/1", 404),
        ("63/000.p/1", 404),
        ("entries/000", 200),
        ("entries/002.p/138", 200),
        ("entries/002", 404),
        ("entries/999", 404),
        ("0/x999/x999/x999/x999/x999/999", 404),
        ("0/..%2f000", 404),
    ],
)
def test_a_tile_has_one_path_and_only_what_is_signed_is_published(
    log_client: FlaskClient, place: str, status: int
) -> None:
    answer = log_client.get(f"/log/tile/{place}")
    assert answer.status_code == status
    if status == 404:
        assert "immutable" not in answer.headers["Cache-Control"]  # it may be there tomorrow
        assert answer.content_type == "application/problem+json"


def test_proofs_in_json_verify(log_client: FlaskClient, vault: Vault) -> None:
    head = tlog.open_checkpoint(log_client.get("/log/checkpoint").text, [vault.note_signer().verifier])
    said = log_client.get("/log/proof/inclusion?leaf_index=77&tree_size=650").json
    assert said is not None
    proof = [unpadded(one) for one in said["proof"]]
    tlog.verify_inclusion(unpadded(said["leaf_hash"]), 77, 650, proof, head.root)
    said = log_client.get("/log/proof/consistency?old_size=300&new_size=650").json
    assert said is not None
    old = log_client.get("/log/proof/inclusion?leaf_index=0&tree_size=300").json
    assert old is not None
    old_root = tlog.root_from_inclusion(unpadded(old["leaf_hash"]), 0, 300, [unpadded(one) for one in old["proof"]])
    tlog.verify_consistency(300, 650, [unpadded(one) for one in said["proof"]], old_root, head.root)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("inclusion?leaf_index=0&tree_size=700", 404),  # stored, not signed
        ("inclusion?leaf_index=650&tree_size=650", 404),
        ("inclusion?leaf_index=-1&tree_size=650", 422),
        ("inclusion?leaf_index=0", 422),
        ("inclusion?leaf_index=x&tree_size=1", 422),
        ("consistency?old_size=0&new_size=650", 422),
        ("consistency?old_size=651&new_size=650", 404),
        ("consistency?old_size=1&new_size=700", 404),
    ],
)
def test_what_cannot_be_proved_is_said_by_code(log_client: FlaskClient, asked: str, status: int) -> None:
    answer = log_client.get(f"/log/proof/{asked}")
    assert answer.status_code == status
    assert answer.json is not None
    assert answer.json["code"] == ("not_in_log" if status == 404 else "invalid_fields")


def test_a_log_without_a_head_says_so(engine: Engine, vault: Vault, clock: FixedClock, tmp_path: Path) -> None:
    app = Flask("log")
    web.init(app, make_city(engine, vault, clock, tmp_path))
    web.register(app, blueprint)
    answer = app.test_client().get("/log/checkpoint")
    assert answer.status_code == 404
    assert answer.json is not None
    assert answer.json["code"] == "not_in_log"
