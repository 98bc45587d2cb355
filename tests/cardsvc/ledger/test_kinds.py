"""The ledger's list of kinds is the wire's, number by number: an entry's kind leads back to its record's."""

from cardsvc import ledger
from crypto.wire.kinds import Kind


def test_every_kind_of_entry_is_a_record_of_the_same_name_and_number_or_an_adjustment() -> None:
    ours = {kind.name: kind.value for kind in ledger.EntryKind if kind is not ledger.EntryKind.ADJUSTMENT}
    records = {kind.name: kind.value for kind in Kind}
    assert ours.items() <= records.items()
    assert max(records.values()) < ledger.EntryKind.ADJUSTMENT
