"""Receipts: the service's signed answers, built from what is stored, the same bytes every time."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc import audit
from cardsvc.db import to_ms
from cardsvc.transactions.queries.reading import ReceiptNotReady, StoredTransaction, UnknownReceipt, stored_many
from cardsvc.vault import Vault
from crypto.wire.receipt import Receipt, sign_receipt


def receipt(session: Session, vault: Vault, record_id: UUID) -> bytes:
    """The signed receipt of a stored record. Raises: UnknownReceipt, ReceiptNotReady."""
    found = receipts(session, vault, [record_id]).get(record_id)
    if found is None:
        raise UnknownReceipt
    return found


def receipts(session: Session, vault: Vault, record_ids: Sequence[UUID]) -> dict[UUID, bytes]:
    """The signed receipts of stored records, with their proofs of inclusion.

    Asked twice, the same content; and the same bytes where the receipt key is in a file and was not changed (a module's
    signatures are randomised). Raises: ReceiptNotReady.
    """
    return {record_id: signed(content, vault) for record_id, content in unsigned(session, record_ids).items()}


def signed(content: Receipt, vault: Vault) -> bytes:
    """The receipt as it is handed out."""
    return sign_receipt(content, vault.signer("receipt"))


def unsigned(session: Session, record_ids: Sequence[UUID]) -> dict[UUID, Receipt]:
    """What the receipts of stored records say. The checkpoint is the first that covers the record.

    Unknown records are left out, and those whose salt was erased: nothing can open their leaf any more.
    Raises: ReceiptNotReady.
    """
    found = stored_many(session, record_ids)
    made: dict[UUID, Receipt] = {}
    waiting = sorted(found.values(), key=lambda transaction: transaction.leaf_index)
    while waiting:
        checkpoint = audit.covering(session, waiting[0].leaf_index)
        if checkpoint is None:
            raise ReceiptNotReady
        covered = [t for t in waiting if t.leaf_index < checkpoint.tree_size]
        waiting = waiting[len(covered) :]
        paths = audit.inclusions(session, [t.leaf_index for t in covered], checkpoint.tree_size)
        salts = audit.salts(session, [t.record_id for t in covered])
        for transaction in covered:
            record_id = transaction.record_id
            salt = salts[record_id]
            if salt is not None:
                made[record_id] = _content(transaction, salt, checkpoint, paths[transaction.leaf_index])
    return made


def _content(
    transaction: StoredTransaction, salt: bytes, checkpoint: audit.Checkpoint, path: Sequence[bytes]
) -> Receipt:
    return Receipt(
        record_id=transaction.record_id,
        record_hash=transaction.record_hash,
        outcome=transaction.outcome,
        reason=transaction.reason,
        kind=transaction.kind,
        amount_cents=transaction.amount_cents,
        currency=transaction.currency,
        entry_hash=transaction.entry_hash,
        recorded_at_ms=to_ms(transaction.recorded_at),
        official_number=transaction.official_number,
        salt=salt,
        leaf_index=transaction.leaf_index,
        tree_size=checkpoint.tree_size,
        inclusion_proof=tuple(path),
        checkpoint=checkpoint.note,
    )
