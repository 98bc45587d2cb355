"""What the handlers of finance share: who signed, in which currency, and the entry a record becomes."""

from uuid import UUID

from cardsvc import ledger, wallets
from cardsvc.money import CURRENCY
from cardsvc.transactions import Item, Reason, Rejected

NOT_THE_SIGNER = Rejected(Reason.NOT_PERMITTED, "The record names another staff member than the one who signed it.")
OTHER_CURRENCY = Rejected(
    Reason.WRONG_AMOUNT, f"The city's books are kept in {CURRENCY}. Make the record in {CURRENCY}."
)


def draft(
    item: Item, kind: ledger.EntryKind, rule: str, currency: str, *lines: ledger.Line, reference: str | None = None
) -> ledger.Draft:
    """The entry of the record: its id is the record's, it happened when the record says. `reference` is what the bank
    shows, by which the entry is found.
    """
    metadata = () if reference is None else (("reference", reference),)
    return ledger.Draft(item.record.record_id, kind, lines, item.happened_at, rule, currency, metadata=metadata)


def into_wallet(wallet_id: UUID, amount_cents: int, owed: dict[str, int]) -> tuple[ledger.Line, ...]:
    """The lines that give a holder money: what they owe is repaid first, and taken off in `owed`.

    A debt below zero (repaid, then its ride was taken back) is given to the holder with the money.
    """
    account = wallets.owed_account(wallet_id)
    repaid = min(owed[account], amount_cents)
    owed[account] -= repaid
    amounts = (account, -repaid), (wallets.main_account(wallet_id), repaid - amount_cents)
    return tuple(ledger.Line(code, cents) for code, cents in amounts if cents)


def signer(item: Item) -> UUID | None:
    """The member of staff who signed the record, or None."""
    return None if item.staff is None else item.staff.staff_id
