"""The proof of the transactions: every entry stands on signatures that verify, and every signature has its answer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import access, audit, cards, devices, ledger
from cardsvc.db import to_ms
from cardsvc.errors import CityError, ErrorKind
from cardsvc.transactions.models import Batch
from cardsvc.transactions.queries.reading import StoredTransaction, stored_many, walk
from cardsvc.vault import Vault
from crypto import cbor, keys
from crypto.cbor import Value
from crypto.errors import CryptoError
from crypto.keys import PublicKey
from crypto.wire.batch import open_batch
from crypto.wire.passkey import verify_assertion
from crypto.wire.transaction import Authorisation, Purpose, Transaction, record_hash, verify_authorisation

_PAGE = 500


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
    entries = _entries(session)
    entry = next(entries, None)
    count = accepted = authorisations = 0
    for transaction in walk(session):
        if entry is not None and entry.seq < transaction.leaf_index:
            break
        authorisations += checker.check(transaction)
        count += 1
        if transaction.outcome == "accepted":
            _check_entry(transaction, entry)
            accepted += 1
            entry = next(entries, None)
    if entry is not None:
        raise UnprovedEntry(entry.entry_id, "it has an entry and was never accepted")
    return TransactionsChecked(count, accepted, authorisations, len(checker.items_of_batch))


def _entries(session: Session) -> Iterator[ledger.StoredEntry]:
    """Every entry in the order of the log, page by page. Imported ones have places below zero and no proof here."""
    after = -1
    while page := ledger.entries(session, after=after, limit=_PAGE):
        yield from page
        after = page[-1].seq


def _check_entry(stored: StoredTransaction, entry: ledger.StoredEntry | None) -> None:
    """`entry` is the next one in the log's order, which must be this transaction's."""
    if entry is None or entry.seq > stored.leaf_index:
        raise UnprovedEntry(stored.record_id, "it was accepted and has no entry")
    if (entry.entry_id, entry.seq, entry.entry_hash) != (
        stored.record_id,
        stored.leaf_index,
        stored.entry_hash,
    ):
        raise UnprovedEntry(stored.record_id, "its entry is not the one that was logged")


Owner = cards.CardKey | access.StaffKey | access.PasskeyKey


class _Checker:
    """Keeps the keys it has met and, because batches interleave, the hashes of all items that it has met in batches."""

    def __init__(self, session: Session, vault: Vault) -> None:
        self._session = session
        self._service = {keys.key_id(key): key for key in vault.public_keys("service")}
        self._owners: dict[tuple[Purpose, bytes], Owner] = {}
        self.items_of_batch: dict[UUID, frozenset[bytes]] = {}

    def check(self, stored: StoredTransaction) -> int:
        """Check one transaction; how many signatures it carries."""
        record_id = stored.record_id
        if record_hash(stored.record_bytes) != stored.record_hash:
            raise UnprovedEntry(record_id, "its bytes are not those that were signed")
        record = stored.record
        kept_as = stored.record_id, stored.kind, stored.device_id, to_ms(stored.happened_at)
        if kept_as != (record.record_id, record.kind, record.terminal_id, record.at_ms):
            raise UnprovedEntry(record_id, "it is not kept as what it says it is")
        authorisations = tuple(_authorisations(stored.authorisations))
        if not authorisations:
            raise UnprovedEntry(record_id, "nobody authorised it")
        for authorisation in authorisations:
            self._verify(stored, authorisation)
        item = Transaction(stored.record_bytes, authorisations).encode()
        if record_hash(item) not in self._batch(stored):
            raise UnprovedEntry(record_id, "it is not in the batch that its terminal signed")
        return len(authorisations)

    def _verify(self, stored: StoredTransaction, authorisation: Authorisation) -> None:
        key = self._key(stored, authorisation)
        try:
            if isinstance(key, access.PasskeyKey):
                verify_assertion(stored.record_bytes, authorisation.cose, key.public_key, origin=key.origin)
            else:
                verify_authorisation(stored.record_bytes, authorisation, key)
        except CryptoError as error:
            problem = f"its {authorisation.purpose.name.lower()} signature does not verify ({error})"
            raise UnprovedEntry(stored.record_id, problem) from error

    def _key(self, stored: StoredTransaction, authorisation: Authorisation) -> PublicKey | access.PasskeyKey:
        """The key that the authorisation names, when it is of whom the transaction is kept under."""
        if authorisation.purpose is Purpose.SERVICE and authorisation.kid in self._service:
            return self._service[authorisation.kid]
        place = authorisation.purpose, authorisation.kid
        owner = self._owners.get(place) or self._find(authorisation)
        if owner is None:
            raise UnprovedEntry(stored.record_id, "the key that signed it is not known")
        self._owners[place] = owner
        if isinstance(owner, cards.CardKey):
            same = (owner.card_id, owner.resident_id) == (stored.card_id, stored.resident_id)
        elif isinstance(owner, access.PasskeyKey):
            same = (None, owner.resident_id) == (stored.card_id, stored.resident_id)
        else:
            same = owner.staff_id == stored.staff_id
        if not same:
            raise UnprovedEntry(stored.record_id, "it is kept under somebody else's name than who signed it")
        return owner if isinstance(owner, access.PasskeyKey) else owner.public_key

    def _find(self, authorisation: Authorisation) -> Owner | None:
        kid = authorisation.kid
        if authorisation.purpose is Purpose.STAFF:
            return access.staff_by_key(self._session, [kid], blocked_too=True).get(kid)
        if authorisation.purpose is Purpose.PASSKEY:
            return access.passkeys_by_key(self._session, [kid], removed_too=True).get(kid)
        return cards.keys_by_id(self._session, [kid]).get(kid)

    def _batch(self, stored: StoredTransaction) -> frozenset[bytes]:
        known = self.items_of_batch.get(stored.batch_id)
        if known is None:
            raw = self._session.scalar(sa.select(Batch.bytes_).where(Batch.id == stored.batch_id))
            device = devices.by_ids(self._session, [stored.device_id]).get(stored.device_id)
            if raw is None or device is None:
                raise UnprovedEntry(stored.record_id, "its batch or its terminal is missing")
            try:
                batch = open_batch(raw, device.public_key)
            except CryptoError as error:
                raise UnprovedEntry(stored.record_id, f"its batch does not verify ({error})") from error
            known = self.items_of_batch[stored.batch_id] = frozenset(record_hash(item) for item in batch.items)
        return known


def _authorisations(data: bytes) -> "list[Authorisation]":
    found: Value = cbor.decode(data)
    assert isinstance(found, list)
    return [Authorisation(Purpose(int(pair[0])), bytes(pair[1])) for pair in found]  # type: ignore[index,arg-type]
