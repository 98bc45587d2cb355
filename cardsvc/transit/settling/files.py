"""A settlement as text: CSV for operators, a document for programs. Amounts are exact decimals."""

import csv
import io
from typing import Any

from cardsvc.transit.rules.settling import Settlement
from cardsvc.transit.rules.tides import decimal

COLUMNS = (
    "agency_id",
    "settlement_day",
    "final",
    "row",
    "network_id",
    "fare_product_id",
    "fare_day",
    "late",
    "rides",
    "charged",
    "refunded",
    "subsidy",
    "other",
    "due",
    "currency",
    "entry_id",
    "pass_id",
    "passes",
)


def to_csv(found: Settlement) -> str:
    """One row for each line and each other movement, and a total, which is the operator's revenue of the day."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, restval="")
    writer.writeheader()
    same = {
        "agency_id": found.agency,
        "settlement_day": found.day.isoformat(),
        "final": _flag(found.final),
        "currency": found.currency,
    }
    for line in found.lines:
        what = {
            "row": line.kind.value,
            "network_id": line.network,
            "fare_product_id": line.product,
            "fare_day": line.fare_day.isoformat(),
            "late": _flag(line.late),
            "rides": str(line.rides),
            "pass_id": line.pass_id,
            "passes": str(line.passes),
        }
        writer.writerow(same | what | _amounts(line.charged_cents, line.refunded_cents, line.subsidy_cents, 0))
    for other in found.others:
        entry = {"row": "other", "entry_id": str(other.entry_id)}
        writer.writerow(same | entry | _amounts(0, 0, 0, other.amount_cents))
    total = found.charged_cents, found.refunded_cents, found.subsidy_cents, found.other_cents
    counts = {
        "rides": str(sum(line.rides for line in found.lines)),
        "passes": str(sum(one.passes for one in found.lines)),
    }
    writer.writerow(same | {"row": "total"} | counts | _amounts(*total))
    return buffer.getvalue()


def _amounts(charged: int, refunded: int, subsidy: int, other: int) -> dict[str, str]:
    return {
        "charged": decimal(charged),
        "refunded": decimal(refunded),
        "subsidy": decimal(subsidy),
        "other": decimal(other),
        "due": decimal(charged - refunded + subsidy + other),
    }


def _flag(value: bool) -> str:
    return "true" if value else "false"


def to_document(found: Settlement) -> dict[str, Any]:
    """The settlement for JSON; amounts are centavos."""
    return {
        "agency": found.agency,
        "day": found.day.isoformat(),
        "final": found.final,
        "currency": found.currency,
        "charged_cents": found.charged_cents,
        "refunded_cents": found.refunded_cents,
        "subsidy_cents": found.subsidy_cents,
        "other_cents": found.other_cents,
        "due_cents": found.due_cents,
        "agrees_with_the_books": True,
        "lines": [
            {
                "kind": line.kind.value,
                "network": line.network,
                "product": line.product,
                "pass_id": line.pass_id,
                "fare_day": line.fare_day.isoformat(),
                "late": line.late,
                "rides": line.rides,
                "passes": line.passes,
                "charged_cents": line.charged_cents,
                "refunded_cents": line.refunded_cents,
                "subsidy_cents": line.subsidy_cents,
                "due_cents": line.due_cents,
            }
            for line in found.lines
        ],
        "others": [
            {"entry_id": str(one.entry_id), "kind": one.kind, "amount_cents": one.amount_cents} for one in found.others
        ],
    }
