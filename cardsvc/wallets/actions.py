"""Opening wallets."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc import ledger
from cardsvc.db import insert_columns
from cardsvc.wallets.models import WalletRow
from cardsvc.wallets.queries import Wallet, by_residents
from cardsvc.wallets.rules import accounts_of, wallet_id_of


def open_wallets(session: Session, resident_ids: Sequence[UUID], now: datetime) -> dict[UUID, Wallet]:
    """Each resident's wallet, opened with its accounts where there was none. Doing it again changes nothing."""
    ledger.lock(session)  # first, so that two who open the same wallet do it one after the other
    present = by_residents(session, resident_ids)
    missing = [resident_id for resident_id in dict.fromkeys(resident_ids) if resident_id not in present]
    wallet_ids = [wallet_id_of(resident_id) for resident_id in missing]
    ledger.open_accounts(session, [spec for wallet_id in wallet_ids for spec in accounts_of(wallet_id)], now)
    insert_columns(
        session,
        WalletRow.__table__,
        {
            "id": wallet_ids,
            "resident_id": missing,
            "opened_at": [now] * len(missing),
            "status": ["open"] * len(missing),
        },
    )
    return by_residents(session, resident_ids)
