"""How a pass that is bought becomes an entry: from the wallet to the operator, or to what finance divides."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc import ledger, rows, wallets
from cardsvc.transactions import Item, Plan, Reason, Rejected, dated
from cardsvc.transit.models import RiderPass
from cardsvc.transit.passes import queries
from cardsvc.transit.passes.queries import OnSale
from cardsvc.transit.rules import selling
from cardsvc.transit.rules.selling import Offer
from crypto.wire.transaction import Purpose
from crypto.wire.transit import PassBought

RULE = "transit/pass/1"
_NO_TARIFF = Rejected(Reason.UNKNOWN_REFERENCE, "No tariff is in force, so there is no pass on sale.")
_NO_WALLET = Rejected(Reason.UNKNOWN_WALLET, "You have no wallet. Ask for one at the counter.")


class Selling:
    """A resident buys a pass from the own wallet, with card and PIN or with a passkey, at the price of the tariff in
    force when the city takes the record. A wallet that is short buys nothing: no pass is owed.
    """

    body: ClassVar[type[PassBought]] = PassBought
    purposes: ClassVar[frozenset[Purpose]] = frozenset({Purpose.CONSENT, Purpose.PASSKEY})
    device_kinds: ClassVar[frozenset[str]] = frozenset({"kiosk", "counter", "portal"})
    roles: ClassVar[frozenset[str]] = frozenset()

    def subject(self, _item: Item, /) -> None:
        """Passes never compete: whoever buys two has two."""

    def plan(self, session: Session, items: Sequence[Item], now: datetime, /) -> list[Plan | Rejected]:
        on_sale = queries.on_sale(session, now)
        wallet_of = wallets.by_residents(session, [item.resident_id for item in items if item.resident_id is not None])
        own = [wallet.id for wallet in wallet_of.values()]
        purses, sold = wallets.purse_accounts(session, own), queries.sold_at(session, own, now)
        plans: list[Plan | Rejected] = []
        for item in items:
            assert item.resident_id is not None
            wallet, at = wallet_of.get(item.resident_id), dated(item, now)
            good_from = now if wallet is None else sold[wallet.id]  # as `settle` keeps it
            refusal = _refusal(item, on_sale, at, good_from, has_wallet=wallet is not None)
            if refusal is not None or wallet is None or on_sale is None:
                plans.append(refusal or _NO_WALLET)
                continue
            offer = on_sale.offers[item.says(PassBought).pass_id]
            plans.append(_plan(item, offer, wallets.sources(wallet.id, purses[wallet.id], wallets.TRANSIT, at)))
        return plans

    def settle(self, session: Session, done: Sequence[tuple[Item, ledger.Posted]], now: datetime, /) -> None:
        """Keep each pass, good from now on where it begins today."""
        on_sale = queries.on_sale(session, now)
        assert on_sale is not None
        wallet_of = wallets.by_residents(session, [item.resident_id for item, _ in done if item.resident_id])
        bought = [item.says(PassBought) for item, _ in done]
        offers = [on_sale.offers[one.pass_id] for one in bought]
        own = [_wallet_id(item, wallet_of) for item, _ in done]
        sold = queries.sold_at(session, own, now)
        windows = [
            selling.window(on_sale.tariff.terms, one.pass_id, one.begins, sold[wallet_id])
            for one, wallet_id in zip(bought, own, strict=True)
        ]
        columns: dict[str, list[Any]] = {
            "holding_id": [item.record.record_id for item, _ in done],
            "wallet_id": own,
            "pass_id": [offer.pass_id for offer in offers],
            "valid_from": [starts for starts, _ in windows],
            "valid_to": [ends for _, ends in windows],
            "rides": [offer.rides for offer in offers],
            "tariff_version": [on_sale.version for _ in offers],
            "agency": [offer.agency for offer in offers],
            "amount_cents": [offer.amount_cents for offer in offers],
        }
        rows.insert(session, RiderPass.__table__, columns)


def _wallet_id(item: Item, wallet_of: dict[UUID, wallets.Wallet]) -> UUID:
    assert item.resident_id is not None
    return wallet_of[item.resident_id].id


def _refusal(
    item: Item, on_sale: OnSale | None, at: datetime, good_from: datetime, *, has_wallet: bool
) -> Rejected | None:
    """In the order of the reasons."""
    asked = item.says(PassBought)
    if on_sale is None:
        return _NO_TARIFF if has_wallet else _NO_WALLET
    terms, offer = on_sale.tariff.terms, on_sale.offers.get(asked.pass_id)
    refusal = selling.check_beginning(asked.begins, terms.fare_day(at))
    if refusal is None and offer is not None:
        refusal = selling.check_window(selling.window(terms, offer.pass_id, asked.begins, good_from))
    if refusal is None and not has_wallet:
        refusal = _NO_WALLET
    return refusal or selling.check_sale(asked, offer, on_sale.version)


def _plan(item: Item, offer: Offer, sources: Sequence[str]) -> Plan:
    """The purses that may pay for rides, in order, then the wallet."""
    asked = item.says(PassBought)
    draft = ledger.Draft(
        item.record.record_id,
        ledger.EntryKind.PASS_BOUGHT,
        (
            ledger.Line(sources[0], asked.amount_cents, tuple(sources[1:])),
            ledger.Line(offer.account, -asked.amount_cents),
        ),
        item.happened_at,
        f"{RULE}#{asked.tariff_version}",
        asked.currency,
        metadata=(("pass", offer.pass_id),) if offer.pass_id.isprintable() else (),
    )
    return Plan(draft, asked.amount_cents, opens=() if offer.agency else (pool_spec(offer),))


def pool_spec(offer: Offer) -> ledger.AccountSpec:
    """Where a feed was imported before passes were sold, its pools are not open yet."""
    kind, policy = ledger.AccountKind.LIABILITY, ledger.AccountPolicy.DERIVED
    return ledger.AccountSpec(offer.account, kind, policy, ledger.Fund.GENERAL)
