"""Everything that any room opens is in the chart of accounts, as the chart says."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import ledger
from cardsvc.ledger.models import Account
from crypto.wire.transaction import Purpose
from tests.town import Town, claim, tap


def test_every_account_of_every_room_is_what_the_chart_says(town: Town) -> None:
    """A day with fares, benefits, taxes, cash, holds and purses, then every account beside its pattern."""
    town.tariff()
    ana = town.rich_person()
    entitlements = town.cycle(ana)
    town.fund(1_000_00, "benefits:RICE:fund")
    counter = town.kiosk()
    town.validator().send_one(tap(), ana.signs(Purpose.PRESENCE))
    counter.send_one(claim(next(iter(entitlements.values()))), ana.signs(Purpose.CONSENT))
    town.bills("1,000.00", person=ana)
    until = (town.clock.now() + timedelta(days=30)).isoformat()
    money = {"amount_cents": 50_00, "currency": "PHP"}
    purse = {"name": "rides-2026", "purpose": "transit", "source": "benefits:RICE:fund", "expires_at": until}
    assert town.act(f"/v1/wallets/{ana.wallet_id}/purses", "treasurer", **purse, **money)["outcome"] == "accepted"
    hold = {"beneficiary": "revenue:fees", "reason": "Deposit on the hall", "expires_at": until}
    assert town.act(f"/v1/wallets/{ana.wallet_id}/holds", "finance", **hold, **money)["outcome"] == "accepted"

    def compare(session: Session) -> list[tuple[str, Any]]:
        accounts = session.scalars(sa.select(Account)).all()
        patterns = ledger.patterns(session, [account.code for account in accounts])
        return [
            (account.code, pattern)
            for account in accounts
            if (pattern := patterns[account.code]) is None
            or (account.kind, account.policy, account.fund, account.floor_cents)
            != (pattern.kind, pattern.policy, pattern.fund, pattern.floor_cents)
        ]

    assert town.run(compare) == []
    kinds = {code.rpartition(":")[2] for code in town.run(_codes)}
    assert {"main", "owed", "held", "rides-2026", "fund", "reserve", "vault", "basic", "sef", "fees"} <= kinds


def _codes(session: Session) -> list[str]:
    return list(session.scalars(sa.select(Account.code)))
