"""`./city counter take-price`, with the service over HTTP."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner
from werkzeug.serving import make_server

from cardsvc import app, db
from terminals.counter import Till
from terminals.counter.commands import counter
from terminals.settings import SystemClock, TerminalKind
from tests.terminals.service import PASSWORD, CityService


@pytest.fixture
def line(office: CityService, tmp_path: Path) -> Iterator[list[str]]:
    """How every command at a counter with an open shift begins."""
    office.clock.set(db.from_ms(SystemClock().now_ms()))  # the command line has the machine's own clock
    office.fund_vault(5_000_00)
    station = office.station(TerminalKind.COUNTER)
    Till(station).open_shift(office.person("carlo"), PASSWORD, 1_000_00)
    station.close()
    (tmp_path / "password").write_text(PASSWORD)
    server = make_server("127.0.0.1", 0, app.app_of(office.city), threaded=False)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield ["--home", str(station.settings.home), "--service", f"http://127.0.0.1:{server.server_port}"]
    server.shutdown()
    server.server_close()
    thread.join()


def take(line: list[str], card_id: UUID, password: Path) -> tuple[int, Any]:
    who = ["--username", "carlo", "--password-file", str(password)]
    done = CliRunner().invoke(counter, [*line, "take-price", str(card_id), *who, "--json"])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, json.loads(done.output)


def test_the_price_is_taken_once(office: CityService, line: list[str], tmp_path: Path) -> None:
    office.card_price(30_00, "first")
    order = office.approved_card()
    code, said = take(line, order, tmp_path / "password")
    assert (code, said["state"]) == (0, "accepted")
    with pytest.raises(Exception, match=r"Nothing is to be paid for this card \(paid\)"):
        take(line, order, tmp_path / "password")


def test_a_free_card_takes_no_cash(office: CityService, line: list[str], tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"Nothing is to be paid for this card \(free\)"):
        take(line, office.approved_card(), tmp_path / "password")
