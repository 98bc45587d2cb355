"""Keys change, people are erased, cards are lost: what was right then is proved still, by others too."""

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

from pymerkle import InmemoryTree

from cardsvc import audit, cards, db
from crypto import cbor
from crypto.wire.transaction import Purpose
from tests.builders import CLERK
from tests.evidence import export, verify
from tests.town import Town, tap

LOST = cards.RevocationReason.LOST


def test_an_erased_person_leaves_the_evidence_whole(busy: Town, tmp_path: Path) -> None:
    with db.unit_of_work(busy.city.engine) as session:
        audit.erase(session, [audit.leaf(session, place).record_id for place in (0, 4)])
    verdict = verify(export(busy, tmp_path / "export"))
    assert verdict.findings == ()
    assert verdict.counts.erased == 2


def test_a_tap_from_before_the_loss_counts_and_one_from_after_it_does_not(town: Town, tmp_path: Path) -> None:
    town.tariff()
    ana, validator = town.rich_person(), town.validator()
    validator.add(tap(), ana.signs(Purpose.PRESENCE))
    town.clock.set(town.clock.now() + timedelta(minutes=10))
    now = town.clock.now()
    town.run(lambda session: cards.revoke(session, ana.card.card_id, reason=LOST, by=CLERK, now=now))
    town.clock.set(now + timedelta(minutes=10))
    validator.add(tap(), ana.signs(Purpose.PRESENCE))
    assert [result.outcome for result in validator.send()] == ["accepted", "rejected"]
    assert verify(export(town, tmp_path / "export")).findings == ()


def test_a_few_lines_of_anybodys_find_the_same_root(busy: Town, tmp_path: Path) -> None:
    """Nothing of ours reads the files here but a split at tabs; pymerkle computes the tree."""
    folder = export(busy, tmp_path / "export")
    tree: Any = InmemoryTree(algorithm="sha256")
    for path in sorted((folder / "journal").glob("*.tsv")):
        names, *lines = path.read_text().splitlines()
        at = names.split("\t").index("commitment")
        for line in lines:
            commitment = bytes.fromhex(line.split("\t")[at])
            tree.append_entry(b"\x83\x69city.leaf\x01\x58\x20" + commitment)
    facts = dict(line.split("\t")[1:3] for line in (folder / "manifest.tsv").read_text().splitlines())
    assert tree.get_root().hex() == facts["root"]
    assert cbor.decode(b"\x83\x69city.leaf\x01\x58\x20" + hashlib.sha256(b"").digest())
