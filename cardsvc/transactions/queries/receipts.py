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
    return receipts(session, vault, [record_id])[record_id]


def receipts(session: Session, vault: Vault, record_ids: Sequence[UUID]) -> dict[UUID, bytes]:
    """The signed receipts of stored records, with their proofs of inclusion.

    The checkpoint is the first that covers the record, and signatures are deterministic: asked twice, the same bytes.
    Raises: UnknownReceipt, ReceiptNotReady.
    """
    found = stored_many(session, record_ids)
    if len(found) != len(set(record_ids)):
        raise UnknownReceipt
    made: dict[UUID, bytes] = {}
    waiting = sorted(found.values(), key=lambda transaction: transaction.leaf_index)
    while waiting:
        checkpoint = audit.covering(session, waiting[0].leaf_index)
        if checkpoint is None:
            raise ReceiptNotReady
        covered = [t for t in waiting if t.leaf_index < checkpoint.tree_size]
        waiting = waiting[len(covered) :]
        paths = audit.inclusions(session, [t.leaf_index for t in covered], checkpoint.tree_size)
        salts = audit.salts(session, [t.record.record_id for t in covered])
        for transaction in covered:
            record_id = transaction.record.record_id
            content = _content(transaction, salts[record_id], checkpoint, paths[transaction.leaf_index])
            made[record_id] = sign_receipt(content, vault.signer("receipt"))
    return made


def _content(
    transaction: StoredTransaction, salt: bytes | None, checkpoint: audit.Checkpoint, path: Sequence[bytes]
) -> Receipt:
    if salt is None:  # erased: nothing can open the leaf any more, and that was the wish
        raise UnknownReceipt
    return Receipt(
        record_id=transaction.record.record_id,
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
