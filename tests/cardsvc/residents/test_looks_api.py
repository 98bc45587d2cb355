"""Photos, views and looks over HTTP, and the resident's page."""

import base64
import hashlib
import struct
import zlib
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from cardsvc import access, db, residents, web
from cardsvc.clock import FixedClock
from cardsvc.residents import api, pages, rules
from cardsvc.residents.models import ResidentPhotoRow
from cardsvc.settings import CHEAP
from tests.builders import CLERK, app_with, make_resident, staff_token
from tests.cardsvc.residents.conftest import Above
from tests.promised import hold_to_its_document

PASSWORD = "the password of a resident"
WINDOW = UUID(int=7)


def png(width: int, height: int) -> bytes:
    """A grey picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress((b"\0" + b"\x80" * width) * height)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def jpeg(width: int, height: int) -> bytes:
    """The frame of a JPEG: application data, a quantisation table, the frame header, a scan."""
    segments = b"\xff\xe0\x00\x10JFIF\0\1\1\0\0\1\0\1\0\0" + b"\xff\xff\xdb\x00\x43\0" + bytes(64)
    frame = b"\xff\xc2" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\1\x11\0"
    return b"\xff\xd8" + segments + frame + b"\xff\xda\x00\x08\1\1\0\0\x3f\0" + b"\x12\x34" + b"\xff\xd9"


GOOD = png(300, 400)


@pytest.fixture
def app(city: web.City, above: Above) -> Flask:
    names = {WINDOW: "City Hall, window 3"}
    made = app_with(
        city, api.make(above, above.holdings, lambda _session, _ids: names), pages.make(lambda _session, _ids: names)
    )
    hold_to_its_document(made)
    return made


@pytest.fixture
def clerk(city: web.City, client: FlaskClient) -> dict[str, str]:
    return staff_token(city, client, "clerk")


@pytest.fixture
def maria(city: web.City, clock: FixedClock) -> residents.Resident:
    """A resident who may sign in."""
    with db.unit_of_work(city.engine) as session:
        resident = make_resident(session, clock.now())
        access.set_resident_password(
            session,
            resident_id=resident.id,
            username="maria",
            password=PASSWORD,
            now=clock.now(),
            random_bytes=city.random_bytes,
            cost=CHEAP,
        )
    return resident


@pytest.fixture
def hers(client: FlaskClient, maria: residents.Resident) -> dict[str, str]:
    """Maria's own token."""
    del maria
    answer = client.post("/v1/sign-in", json={"username": "maria", "password": PASSWORD})
    return {"Authorization": f"Bearer {answer.get_json()['token']}"}


@pytest.mark.parametrize(("content", "media_type"), [(GOOD, "image/png"), (jpeg(300, 400), "image/jpeg")])
def test_a_photo_is_what_its_bytes_say(content: bytes, media_type: str) -> None:
    photo = rules.read_photo(content)
    assert (photo.media_type, photo.width, photo.height) == (media_type, 300, 400)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        GOOD[:-1],
        GOOD + b"x",
        GOOD[:18] + b"\7" + GOOD[19:],
        png(119, 400),
        jpeg(300, 4000),
        jpeg(300, 400)[:-2],
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xe0\x00\x00\xff\xd9",
        b"\xff\xd8\xff\xe0\xff\xff\xff\xd9",
        b"\xff\xd8" + b"\xff" * 40 + b"\xd9",
        GOOD + bytes(500_000),
    ],
)
def test_what_is_no_photo_is_refused(content: bytes) -> None:
    with pytest.raises(rules.InvalidPhoto):
        rules.read_photo(content)


@pytest.mark.parametrize("whole", [GOOD, jpeg(300, 400)])
def test_a_photo_that_is_cut_anywhere_is_refused(whole: bytes) -> None:
    for end in range(len(whole)):
        with pytest.raises(rules.InvalidPhoto):
            rules.read_photo(whole[:end])


def test_a_view_shows_name_and_photo_and_is_on_the_record(
    client: FlaskClient, clerk: dict[str, str], maria: residents.Resident, hers: dict[str, str]
) -> None:
    path = f"/v1/residents/{maria.id}"
    stored = client.put(f"{path}/photo", data=GOOD, headers=clerk, content_type="image/png")
    assert (stored.status_code, stored.json) == (200, {"media_type": "image/png", "width": 300, "height": 400})
    wanted = {"purpose": "handing over a card", "card_id": str(UUID(int=5)), "device_id": str(WINDOW)}
    view = client.post(f"{path}/views", json=wanted, headers=clerk)
    assert view.status_code == 201, view.text
    shown = view.get_json()
    assert (shown["name"], shown["number"], shown["birth_date"]) == (maria.full_name, maria.number, "1985-06-01")
    assert base64.b64decode(shown["photo"].removeprefix("data:image/png;base64,")) == GOOD
    (look,) = client.get("/v1/me/looks", headers=hers).get_json()["looks"]
    assert (look["role"], look["office"]) == ("clerk", "City Hall, window 3")
    assert look["purpose"] == f"handing over a card (card {UUID(int=5)})"
    assert look["fields"] == ["name", "number", "birth_date", "status", "photo"]


def test_without_a_photo_the_view_says_so_and_the_record_too(
    client: FlaskClient, clerk: dict[str, str], maria: residents.Resident, hers: dict[str, str]
) -> None:
    view = client.post(f"/v1/residents/{maria.id}/views", json={"purpose": "at the window"}, headers=clerk)
    assert view.get_json()["photo"] is None
    assert "photo" not in client.get("/v1/me/looks", headers=hers).get_json()["looks"][0]["fields"]


def test_whoever_is_found_by_a_search_or_opened_can_read_it(
    client: FlaskClient, clerk: dict[str, str], maria: residents.Resident, hers: dict[str, str]
) -> None:
    client.get("/v1/residents", query_string={"q": "maria", "purpose": "a call about a lost card"}, headers=clerk)
    client.get(f"/v1/residents/{maria.id}", headers=clerk)
    client.get("/v1/residents", query_string={"q": "nobody"}, headers=clerk)
    first = client.get("/v1/me/looks", query_string={"limit": 1}, headers=hers).get_json()
    assert [look["purpose"] for look in first["looks"]] == ["looked up in the register"]
    second = client.get("/v1/me/looks", query_string={"before": first["next"]}, headers=hers).get_json()
    assert [look["purpose"] for look in second["looks"]] == ["a call about a lost card"]


def test_a_look_without_a_purpose_a_wrong_photo_and_a_stranger_are_refused(
    client: FlaskClient, clerk: dict[str, str], maria: residents.Resident, hers: dict[str, str], city: web.City
) -> None:
    path = f"/v1/residents/{maria.id}"
    for wrong in ({}, {"purpose": ""}, {"purpose": "  "}, {"purpose": "x" * 141}):
        assert client.post(f"{path}/views", json=wrong, headers=clerk).status_code == 422
    answer = client.put(f"{path}/photo", data=b"GIF89a", headers=clerk, content_type="image/png")
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid_photo")
    nobody = f"/v1/residents/{UUID(int=1)}"
    assert client.put(f"{nobody}/photo", data=GOOD, headers=clerk).status_code == 404
    assert client.post(f"{nobody}/views", json={"purpose": "why"}, headers=clerk).status_code == 404
    for asker in (staff_token(city, client, "cashier"), hers):
        assert client.post(f"{path}/views", json={"purpose": "why"}, headers=asker).status_code == 403
        assert client.put(f"{path}/photo", data=GOOD, headers=asker).status_code == 403
    assert client.get("/v1/me/looks", headers=clerk).status_code == 403
    assert client.get("/v1/me/looks", headers=hers).get_json()["looks"] == []


def test_the_page_says_who_looked_in_words(
    client: FlaskClient, clerk: dict[str, str], maria: residents.Resident, app: Flask
) -> None:
    browser = app.test_client()
    token = browser.get("/sign-in").text.split('name="csrf_token" value="')[1].split('"')[0]
    browser.post("/sign-in", data={"csrf_token": token, "username": "maria", "password": PASSWORD})
    assert "Nobody has looked at you yet." in browser.get("/wallet/looks").text
    for number in range(30):
        wanted = {"purpose": f"reason {number} <b>", "device_id": str(WINDOW)}
        client.post(f"/v1/residents/{maria.id}/views", json=wanted, headers=clerk)
    page = browser.get("/wallet/looks").text
    for text in ("Clerk, City Hall, window 3", "Why: reason 29 &lt;b&gt;", "Shown: name, resident number, birth date"):
        assert text in page, text
    older = page.split('href="/wallet/looks?before=')[1].split('"')[0]
    assert "reason 4 " in browser.get(f"/wallet/looks?before={older}").text
    assert app.test_client().get("/wallet/looks").status_code == 302


def test_who_put_which_photo_there_stays_on_record_and_the_older_picture_does_not(
    session: Session, clock: FixedClock
) -> None:
    person = make_resident(session, clock.now())
    first, second = jpeg(300, 400), jpeg(320, 400)
    for content in (first, first, second):
        residents.store_photo(session, person.id, content, by=CLERK, now=clock.now())
    rows = session.execute(select(ResidentPhotoRow.__table__).order_by(ResidentPhotoRow.number)).all()
    assert [(row.number, row.stored_by, row.content is None) for row in rows] == [(1, CLERK, True), (2, CLERK, False)]
    assert rows[0].content_hash == hashlib.sha256(rules.read_photo(first).content).digest()
    kept = residents.photo(session, person.id)
    assert kept is not None
    assert (kept.width, kept.height) == (320, 400)
    with pytest.raises(DatabaseError), session.begin_nested():
        session.execute(delete(ResidentPhotoRow))


def test_what_a_camera_notes_beside_the_picture_is_not_kept() -> None:
    plain = jpeg(300, 400)
    place = b"\xff\xe1" + (2 + 16).to_bytes(2, "big") + b"Exif\0\0GPS 14.55N"
    comment = b"\xff\xfe" + (2 + 5).to_bytes(2, "big") + b"hello"
    assert rules.read_photo(plain[:2] + place + comment + plain[2:]).content == rules.read_photo(plain).content
