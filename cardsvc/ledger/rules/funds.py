"""What the funds owe each other: computed, never posted (LGC ss. 308-310: each fund's books balance by themselves)."""

from collections.abc import Iterable, Mapping

from cardsvc.ledger.rules.chart import Fund
from cardsvc.ledger.rules.entries import PostedLine


def interfund_code(fund: Fund) -> str:
    """The account of what the other funds owe to this one (debit), or it to them (credit). No such account is open."""
    return f"interfund:{fund.value}"


def interfund_lines(lines: Iterable[PostedLine], fund_of: Mapping[str, Fund]) -> list[PostedLine]:
    """The lines that make each fund's part of an entry sum to zero; none where the entry stays in one fund."""
    sums: dict[Fund, int] = {}
    for line in lines:
        fund = fund_of[line.account]
        sums[fund] = sums.get(fund, 0) + line.amount_cents
    return [PostedLine(interfund_code(fund), -cents) for fund, cents in sorted(sums.items()) if cents]
