"""The log as anybody on the network sees it."""

import base64
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cardsvc import audit, db, web
from cardsvc.audit.api import blueprint
from cardsvc.vault import Vault
from crypto import tlog


def leaf(number: int) -> audit.Leaf:
    return audit.Leaf(UUID(int=number + 1), bytes([number % 256]) * 32, "accepted", None, None, bytes(32))


def add(city: web.City, first: int, last: int) -> None:
    db.run(city.engine, lambda session: audit.append(session, [leaf(number) for number in range(first, last)]))


def app_of(city: web.City) -> Flask:
    """A service with nothing but the log."""
    app = Flask("log")
    web.init(app, city)
    web.register(app, blueprint)
    return app


@pytest.fixture
def log_client(log_city: web.City) -> FlaskClient:
    """700 leaves, of which a head covers 650."""
    app = app_of(log_city)
    for first, last in ((0, 300), (300, 650)):
        add(log_city, first, last)
        db.run(log_city.engine, lambda session: audit.publish(session, log_city.vault, log_city.clock.now()))
    add(log_city, 650, 700)
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


PLACES = {
    "0/000": 200,
    "0/001": 200,
    "0/002": 404,  # not full yet
    "0/002.p/138": 200,
    "0/002.p/1": 200,  # an older partial tile
    "0/002.p/139": 404,  # stored, and not under a signed head
    "0/002.p/0": 404,
    "0/002.p/01": 404,
    "0/000.p/256": 404,  # a full tile has one name
    "0/000.p/300": 404,
    "0/0": 404,
    "0/x000/000": 404,
    "00/000": 404,
    "-1/000": 404,
    "1/000.p/2": 200,
    "1/000.p/3": 404,
    "2/000.p/1": 404,
    "63/000.p/1": 404,
    "entries/000": 200,
    "entries/002.p/138": 200,
    "entries/002": 404,
    "entries/999": 404,
    "0/x999/x999/x999/x999/x999/999": 404,
    "0/..%2f000": 404,
}


def test_a_tile_has_one_path_and_only_what_is_signed_is_published(log_client: FlaskClient) -> None:
    answers = {place: log_client.get(f"/log/tile/{place}") for place in PLACES}
    assert {place: answer.status_code for place, answer in answers.items()} == PLACES
    missing = [answer for answer in answers.values() if answer.status_code == 404]
    assert {answer.content_type for answer in missing} == {"application/problem+json"}
    # it may be there tomorrow
    assert {answer.headers["Cache-Control"] for answer in missing} == {"no-store"}


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


QUESTIONS = {
    "inclusion?leaf_index=0&tree_size=700": "not_in_log",  # stored, not signed
    "inclusion?leaf_index=650&tree_size=650": "not_in_log",
    "inclusion?leaf_index=-1&tree_size=650": "invalid_fields",
    "inclusion?leaf_index=0": "invalid_fields",
    "inclusion?leaf_index=x&tree_size=1": "invalid_fields",
    "consistency?old_size=0&new_size=650": "invalid_fields",
    "consistency?old_size=651&new_size=650": "not_in_log",
    "consistency?old_size=1&new_size=700": "not_in_log",
}


def test_what_cannot_be_proved_is_said_by_code(log_client: FlaskClient) -> None:
    answers = {asked: log_client.get(f"/log/proof/{asked}").json or {} for asked in QUESTIONS}
    assert {asked: answer.get("code") for asked, answer in answers.items()} == QUESTIONS


def test_a_log_without_a_head_says_so(log_city: web.City) -> None:
    answer = app_of(log_city).test_client().get("/log/checkpoint")
    assert answer.status_code == 404
    assert answer.json is not None
    assert answer.json["code"] == "not_in_log"
