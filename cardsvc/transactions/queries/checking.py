"""The proof of the transactions: every entry stands on signatures that verify, and every signature has its answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import access, audit, cards, devices, ledger
from cardsvc.errors import CityError, ErrorKind
from cardsvc.transactions.models import Batch
from cardsvc.transactions.queries.reading import StoredTransaction, stored_many, walk
from cardsvc.vault import Vault
from crypto import cbor, keys
from crypto.cbor import Value
from crypto.errors import CryptoError
from crypto.keys import PublicKey
from crypto.wire.batch import open_batch
from crypto.wire.transaction import Authorisation, Purpose, Transaction, record_hash, verify_authorisation


class UnprovedEntry(CityError):
    """Something in the books does not follow from a signature."""

    code: ClassVar[str] = "unproved_entry"
    kind: ClassVar[ErrorKind] = ErrorKind.UNAVAILABLE

    def __init__(self, record_id: UUID, problem: str) -> None:
        super().__init__(f"Record {record_id}: {problem}. Stop and compare with the last backup.")


@dataclass(frozen=True, slots=True)
class TransactionsChecked:
    """How much was looked at; all of it was right."""

    transactions: int
    entries: int
    authorisations: int
    batches: int


def contents(session: Session, record_ids: Sequence[UUID]) -> dict[UUID, audit.Contents]:
    """What the log's leaves commit to, by record: for `audit.check_log`."""
    return {
        record_id: audit.Contents(t.record_hash, t.outcome, t.reason, t.entry_hash)
        for record_id, t in stored_many(session, record_ids).items()
    }


def check_transactions(session: Session, vault: Vault) -> TransactionsChecked:
    """Verify every stored signature again, and that entries and accepted transactions are the same set.

    Raises: UnprovedEntry, naming the first record that is wrong.
    """
    checker = _Checker(session, vault)
    count = accepted = authorisations = 0
    for transaction in walk(session):
        authorisations += checker.check(transaction)
        count += 1
        accepted += transaction.outcome == "accepted"
    entries = ledger.count_entries(session)
    if entries != accepted:
        raise UnprovedEntry(UUID(int=0), f"the ledger has {entries} entries for {accepted} accepted transactions")
    return TransactionsChecked(count, accepted, authorisations, len(checker.items_of_batch))


class _Checker:
    """Keeps the keys it has met, and one batch's items at a time would be too few: batches interleave, so it keeps the
    hashes of all items instead of their bytes.
    """

    def __init__(self, session: Session, vault: Vault) -> None:
        self._session = session
        service = vault.signer("service").public_key
        self._keys: dict[tuple[Purpose, bytes], PublicKey] = {(Purpose.SERVICE, keys.key_id(service)): service}
        self.items_of_batch: dict[UUID, frozenset[bytes]] = {}

    def check(self, stored: StoredTransaction) -> int:
        """Check one transaction; how many signatures it carries."""
        record_id = stored.record.record_id
        if record_hash(stored.record_bytes) != stored.record_hash:
            raise UnprovedEntry(record_id, "its bytes are not those that were signed")
        authorisations = tuple(_authorisations(stored.authorisations))
        if not authorisations:
            raise UnprovedEntry(record_id, "nobody authorised it")
        for authorisation in authorisations:
            self._verify(stored, authorisation)
        item = Transaction(stored.record_bytes, authorisations).encode()
        if record_hash(item) not in self._batch(stored):
            raise UnprovedEntry(record_id, "it is not in the batch that its terminal signed")
        if stored.outcome == "accepted":
            self._check_entry(stored)
        return len(authorisations)

    def _verify(self, stored: StoredTransaction, authorisation: Authorisation) -> None:
        try:
            verify_authorisation(stored.record_bytes, authorisation, self._key(stored, authorisation))
        except CryptoError as error:
            problem = f"its {authorisation.purpose.name.lower()} signature does not verify ({error})"
            raise UnprovedEntry(stored.record.record_id, problem) from error

    def _key(self, stored: StoredTransaction, authorisation: Authorisation) -> PublicKey:
        place = authorisation.purpose, authorisation.kid
        if place not in self._keys:
            found: cards.CardKey | access.StaffKey | None
            if authorisation.purpose is Purpose.STAFF:
                found = access.staff_by_key(self._session, [authorisation.kid]).get(authorisation.kid)
            else:
                found = cards.keys_by_id(self._session, [authorisation.kid]).get(authorisation.kid)
            if found is None:
                raise UnprovedEntry(stored.record.record_id, "the key that signed it is not known")
            self._keys[place] = found.public_key
        return self._keys[place]

    def _batch(self, stored: StoredTransaction) -> frozenset[bytes]:
        known = self.items_of_batch.get(stored.batch_id)
        if known is None:
            raw = self._session.scalar(sa.select(Batch.bytes_).where(Batch.id == stored.batch_id))
            device = devices.by_ids(self._session, [stored.device_id]).get(stored.device_id)
            if raw is None or device is None:
                raise UnprovedEntry(stored.record.record_id, "its batch or its terminal is missing")
            try:
                batch = open_batch(raw, device.public_key)
            except CryptoError as error:
                raise UnprovedEntry(stored.record.record_id, f"its batch does not verify ({error})") from error
            known = self.items_of_batch[stored.batch_id] = frozenset(record_hash(item) for item in batch.items)
        return known

    def _check_entry(self, stored: StoredTransaction) -> None:
        try:
            entry = ledger.entry(self._session, stored.record.record_id)
        except ledger.UnknownEntry as error:
            raise UnprovedEntry(stored.record.record_id, "it was accepted and has no entry") from error
        if entry.entry_hash != stored.entry_hash or entry.seq != stored.leaf_index:
            raise UnprovedEntry(stored.record.record_id, "its entry is not the one that was logged")


def _authorisations(data: bytes) -> "list[Authorisation]":
    found: Value = cbor.decode(data)
    assert isinstance(found, list)
    return [Authorisation(Purpose(int(pair[0])), bytes(pair[1])) for pair in found]  # type: ignore[index,arg-type]
