"""Terminals in a browser, for whoever looks after them: what is missing, what exists twice, whose clock is off."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from flask import render_template
from sqlalchemy.orm import Session

from cardsvc import web
from cardsvc.access import guard
from cardsvc.devices import queries
from cardsvc.devices.queries import ChainReport
from cardsvc.devices.rules import MISSING_OVERDUE, Clock

Clocks = Callable[[Session, Sequence[UUID]], Mapping[UUID, Clock]]
"""How far the terminals' clocks are off, as the room knows that takes their batches."""
READERS = ("admin", "card_officer", "finance", "treasurer", "auditor")
_HOURS = MISSING_OVERDUE // timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class TerminalLine:
    """A terminal and its clock, None before its first batch."""

    chain: ChainReport
    clock: Clock | None


def make(clocks: Clocks) -> web.PageBlueprint:
    """The room's pages; `clocks` is what another room knows of the terminals."""
    pages = web.PageBlueprint("device_pages", __name__, template_folder="templates", url_prefix="/terminals")

    @pages.get("")
    @guard.requires(*READERS)
    def listed() -> str:
        session, now = web.session(), web.now()
        chains = queries.chain_reports(session, now)
        known = clocks(session, [chain.device.id for chain in chains])
        lines = [TerminalLine(chain, known.get(chain.device.id)) for chain in chains]
        return render_template("devices/terminals.html", lines=lines, now=now, hours=_HOURS, roles=_roles())

    @pages.get("/<uuid:device_id>")
    @guard.requires(*READERS)
    def one(device_id: UUID) -> str:
        session, now = web.session(), web.now()
        chain = queries.chain_report(session, device_id, now)
        clock = clocks(session, [device_id]).get(device_id)
        return render_template(
            "devices/terminal.html", line=TerminalLine(chain, clock), now=now, hours=_HOURS, roles=_roles()
        )

    return pages


def _roles() -> frozenset[str]:
    return guard.principal().roles
