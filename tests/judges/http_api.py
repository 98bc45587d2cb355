"""A small city with something of everything in it, served on a socket, and schemathesis that asks it everything."""

import base64
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask
from werkzeug.serving import WSGIRequestHandler

from cardsvc import db
from crypto.pki import CardSlot
from crypto.wire.query import Query, SignedQuery, sign_query
from crypto.wire.transaction import Purpose, authorise
from crypto.wire.wallets import BalanceQuery
from tests import builders
from tests.judges.environments import judge_python
from tests.serving import serving as over_http
from tests.statements import Booked, camt053
from tests.town import Person, Terminal, Town, tap

HOOKS = Path(__file__).with_name("http_api_hooks.py")
MORE = "CITY_JUDGE_EXAMPLES"
NOTHING_KNOWN: dict[str, Any] = {"fields": {}, "ids": {}, "bodies": {}}
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
)


def settle(town: Town) -> dict[str, Any]:
    """Put something of everything into the town; what http_api_hooks needs to know of it."""
    town.tariff()
    person = town.rich_person(till=town.till())
    validator, kiosk = town.validator(), town.kiosk()
    town.cycle(person)
    drafted = town.draft(person, label="December")
    bills = town.bills("100.00", "200.00", person=person)
    ride, later = (validator.batch([validator.make(tap(), person.signs(Purpose.PRESENCE))[1]]) for _ in range(2))
    [ridden] = town.send(ride)
    with_card, without = str(person.resident_id), str(_without_card(town))
    order = town.post("/v1/cards", {"resident_id": without}, "clerk", status=201)
    statement = camt053("S-1", 0, [Booked(town.today(), 1_000_000_00, "FUND")], first=town.today(), last=town.today())
    headers = town.token("finance")
    imported = town.client.post("/v1/finance/statements", data=statement, headers=headers).get_json()
    return {
        "fields": {"password": builders.PASSWORD},
        "ids": {
            "resident_id": [with_card, without],
            "card_id": [str(person.card.card_id), order["id"]],
            "device_id": [str(town.validator().device_id) for _ in range(3)],
            "record_id": [str(ridden.record_id)],
            "Idempotency-Key": [str(ridden.record_id), *(str(town.key()) for _ in range(9))],
            "entry_id": [str(ridden.record_id)],
            "cycle_id": [drafted["id"]],
            "statement_id": [one["id"] for one in imported],
            "username": [town.staff("clerk").username],
            "number": [bill.number for bill in bills],
            "programme": ["RICE"],
            "account_code": ["equity:general", "benefits:RICE:fund"],
            "product": ["piv-aes128"],
            "level": ["0", "1", "entries"],
            "place": ["000", "000.p/1", "000.p/3"],
            "tree_size": [1, 3],
            "leaf_index": [0, 1],
            "old_size": [1],
            "new_size": [3],
        },
        "bodies": {
            "/v1/transactions": [_text(ride), _text(later)],
            "/v1/queries": [_text(_query(town, kiosk, person))],
            "/v1/finance/statements": [_text(statement)],
            "/v1/taxes/bills": [_text(b"number,tdn,owner,resident_number,year,quarter,basic,sef,due_on\n")],
        },
    }


def _without_card(town: Town) -> UUID:
    return town.run(lambda session: builders.make_resident(session, town.clock.now())).id


def _query(town: Town, kiosk: Terminal, person: Person) -> bytes:
    query = Query.of(
        BalanceQuery(),
        query_id=town.key(),
        terminal_id=kiosk.device_id,
        nonce=town.city.random_bytes(32),
        at_ms=db.to_ms(town.clock.now()),
    ).encode()
    signed = authorise(query, Purpose.QUERY, person.card.keys.signers[CardSlot.CARD_AUTH])
    return sign_query(SignedQuery(query, (signed,)), kiosk.enrolled.signer)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


class _Quiet(WSGIRequestHandler):
    """Thousands of requests are not worth a line each."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        del code, size


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """The app on a free port of this machine, as its address."""
    app.testing = False  # a failure of ours answers 500, as it would outside
    with over_http(app, handler=_Quiet) as address:
        yield address


def valid_document(document: Path) -> subprocess.CompletedProcess[str]:
    """openapi-spec-validator's word on a document, as OpenAPI 3.1."""
    command = [judge_python("http-api"), "-m", "openapi_spec_validator", "--schema", "3.1", str(document)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def ask_everything(
    address: str, known: dict[str, Any], folder: Path, *, headers: dict[str, str], examples: int, only: str = ""
) -> subprocess.CompletedProcess[str]:
    """Let schemathesis ask each operation some `examples` times with these headers; ends with 1 at a finding.

    `only` is a regular expression of the paths it may ask. With CITY_JUDGE_EXAMPLES in the environment it asks every
    path that often, and every boundary of the document as well: some minutes for each caller.
    """
    (folder / "known.json").write_text(json.dumps(known))
    asked = os.environ.get(MORE)
    command = [
        *(judge_python("http-api"), "-m", "schemathesis.cli", "run", f"{address}/v1/openapi.json"),
        *("--checks", ",".join(CHECKS), "--phases", "coverage,fuzzing" if asked else "fuzzing"),
        *("--max-examples", asked or str(examples), "--seed", "20261102", "--generation-database", "none"),
        *("--continue-on-failure", "--suppress-health-check", "all", "--warnings", "off", "--no-color"),
        *(("--include-path-regex", only) if only and not asked else ()),
    ]
    for name, value in headers.items():
        # signing out would end the run for all that follows
        command += ["--header", f"{name}:{value}", "--exclude-method", "DELETE"]
    own = {"SCHEMATHESIS_HOOKS": str(HOOKS), "CITY_KNOWN": str(folder / "known.json")}
    return subprocess.run(
        command, cwd=folder, env=os.environ | own, check=False, capture_output=True, text=True, timeout=3600
    )
