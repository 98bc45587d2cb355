"""The log grows with its leaves, is signed apart, and is computed again from nothing but what it holds."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from cardsvc import audit, db
from cardsvc.audit import queries
from cardsvc.audit.rules import Frontier
from cardsvc.vault import Vault
from crypto import tlog

AT = datetime(2026, 11, 2, tzinfo=UTC)
SIZES = (1, 2, 255, 256, 257, 513, 700)


def leaf(number: int) -> audit.Leaf:
    seed = sha256(str(number).encode()).digest()
    rejected = number % 5 == 4
    return audit.Leaf(
        record_id=UUID(int=number + 1),
        record_hash=seed,
        outcome="rejected" if rejected else "accepted",
        reason="insufficient_funds" if rejected else None,
        entry_hash=None if rejected else sha256(seed).digest(),
        salt=sha256(seed + b"salt").digest(),
    )


def grow(session: Session, size: int) -> None:
    first = audit.next_index(session)
    assert audit.append(session, [leaf(number) for number in range(first, size)]) == range(first, size)


def records(_session: Session, record_ids: Sequence[UUID]) -> Mapping[UUID, audit.Contents]:
    """What the room that keeps the records would say."""
    leaves = [leaf(record_id.int - 1) for record_id in record_ids]
    return {one.record_id: audit.Contents(one.record_hash, one.outcome, one.reason, one.entry_hash) for one in leaves}


def test_every_leaf_of_every_size_has_proofs_that_verify(session: Session, vault: Vault) -> None:
    verifier = vault.note_signer().verifier
    heads: list[audit.Checkpoint] = []
    for size in SIZES:
        grow(session, size)
        head = audit.publish(session, vault, AT)
        signed = tlog.open_checkpoint(head.note, [verifier])
        assert (signed.size, signed.root, signed.origin) == (size, head.root, "city.example/log")
        heads.append(head)
    for head in heads:
        wanted = range(0, head.tree_size, max(1, head.tree_size // 9))
        for index, proof in audit.inclusions(session, wanted, head.tree_size).items():
            leaf_hash = audit.leaf(session, index).leaf_hash
            tlog.verify_inclusion(leaf_hash, index, head.tree_size, proof, head.root)
            assert audit.inclusion(session, index, head.tree_size) == proof
    for old, new in pairwise(heads):
        proof = audit.consistency(session, old.tree_size, new.tree_size)
        tlog.verify_consistency(old.tree_size, new.tree_size, proof, old.root, new.root)
    checked = audit.check_log(session, [verifier], source=records)
    assert checked == audit.LogChecked(leaves=700, erased=0, checkpoints=len(SIZES))


def test_the_frontier_and_the_stored_tree_are_the_same_tree() -> None:
    hashes = [sha256(bytes([n % 256, n // 256])).digest() for n in range(600)]
    frontier = Frontier()
    assert frontier.root() == tlog.EMPTY_ROOT
    stored: dict[tuple[int, int], bytes] = {}

    def read(level: int, index: int) -> bytes:
        return stored[level, index]

    for size, one in enumerate(hashes):
        completed = frontier.push(one)
        new = tlog.append(read, size, [one])
        assert [node for node in new if node.level] == completed
        stored |= {(node.level, node.index): node.hash for node in new}
        assert tlog.Tree(read, size + 1).root() == frontier.root()


def test_publishing_again_gives_the_last_head_until_something_came(session: Session, vault: Vault) -> None:
    empty = audit.publish(session, vault, AT)
    assert (empty.tree_size, empty.root) == (0, tlog.EMPTY_ROOT)
    grow(session, 3)
    first = audit.publish(session, vault, AT)
    assert audit.publish(session, vault, datetime(2027, 1, 1, tzinfo=UTC)) == first
    grow(session, 5)
    assert audit.publish(session, vault, AT).tree_size == 5
    assert audit.newest(session) != first
    audit.check_log(session, [vault.note_signer().verifier], source=records)


def test_a_leaf_is_covered_by_the_first_head_behind_it(session: Session, vault: Vault) -> None:
    grow(session, 2)
    assert audit.covering(session, 0) is None
    audit.publish(session, vault, AT)
    grow(session, 4)
    second = audit.publish(session, vault, AT)
    grow(session, 6)
    audit.publish(session, vault, AT)
    assert [head and head.tree_size for head in (audit.covering(session, n) for n in range(7))] == [
        2, 2, 4, 4, 6, 6, None
    ]  # fmt: skip
    assert audit.covering(session, 3) == second


def test_what_is_not_in_the_log_cannot_be_proved(session: Session, vault: Vault) -> None:
    grow(session, 4)
    audit.publish(session, vault, AT)
    for index, size in ((0, 0), (0, 5), (4, 4), (-1, 4)):
        with pytest.raises(audit.NotInLog):
            audit.inclusion(session, index, size)
    for old, new in ((0, 4), (3, 2), (1, 5)):
        with pytest.raises(audit.NotInLog):
            audit.consistency(session, old, new)
    with pytest.raises(audit.NotInLog):
        audit.leaf(session, 4)


def test_a_second_writer_and_a_second_leaf_for_a_record_are_refused_by_the_database(session: Session) -> None:
    grow(session, 2)
    with pytest.raises(DBAPIError), session.begin_nested():
        audit.append(session, [leaf(0)])
    with pytest.raises(DBAPIError), session.begin_nested():
        session.execute(
            sa.text(
                "INSERT INTO log_leaf SELECT shard, leaf_index, record_id, leaf_hash, commitment, salt FROM log_leaf"
            )
        )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE log_leaf SET leaf_hash = commitment",
        "UPDATE log_leaf SET salt = commitment",
        "UPDATE log_leaf SET salt = NULL, leaf_index = 9 WHERE leaf_index = 0",
        "DELETE FROM log_leaf",
        "UPDATE log_node SET hash = hash",
        "DELETE FROM log_node",
        "UPDATE checkpoint SET note = ''",
        "DELETE FROM checkpoint",
    ],
)
def test_the_database_refuses_every_change_but_the_erasure_of_a_salt(
    session: Session, vault: Vault, statement: str
) -> None:
    grow(session, 300)
    audit.publish(session, vault, AT)
    with pytest.raises(DBAPIError, match="append-only"), session.begin_nested():
        session.execute(sa.text(statement))


def test_an_erased_salt_leaves_the_log_valid(session: Session, vault: Vault) -> None:
    grow(session, 10)
    head = audit.publish(session, vault, AT)
    audit.erase(session, [leaf(3).record_id, leaf(4).record_id])
    assert audit.leaf(session, 3).salt is None
    verifiers = [vault.note_signer().verifier]
    assert audit.check_log(session, verifiers, source=records) == audit.LogChecked(10, erased=2, checkpoints=1)
    proof = audit.inclusion(session, 3, head.tree_size)
    tlog.verify_inclusion(audit.leaf(session, 3).leaf_hash, 3, head.tree_size, proof, head.root)


TABLES = ("log_leaf", "log_node", "checkpoint")


def tamper(engine: Engine, *statements: str) -> None:
    """Change what the guards protect, as whoever owns the database could."""
    on_table = "" if engine.dialect.name == "sqlite" else " ON {}"
    with db.unit_of_work(engine) as session:
        for table in TABLES:
            for verb in ("update", "delete"):
                session.execute(sa.text(f"DROP TRIGGER {table}_no_{verb}{on_table.format(table)}"))
        for statement in statements:
            session.execute(sa.text(statement))


def filled(engine: Engine, vault: Vault) -> None:
    for size in (5, 300, 520):
        db.run(engine, lambda session, size=size: grow(session, size))  # type: ignore[misc]
        db.run(engine, lambda session: audit.publish(session, vault, AT))


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        ("UPDATE log_leaf SET leaf_hash = commitment WHERE leaf_index = 77", "leaf 77 "),
        ("UPDATE log_leaf SET commitment = leaf_hash WHERE leaf_index = 77", "leaf 77 "),
        ("DELETE FROM log_leaf WHERE leaf_index = 77", "leaf 77 is missing"),
        ("DELETE FROM log_leaf WHERE leaf_index = 519", "checkpoint of 520 leaves is signed"),
        ("UPDATE log_leaf SET record_id = {other} WHERE leaf_index = 77", "leaf 77 "),
        ("UPDATE log_leaf SET salt = commitment WHERE leaf_index = 77", "leaf 77 "),
        ("UPDATE log_node SET hash = (SELECT leaf_hash FROM log_leaf WHERE leaf_index = 1) WHERE idx = 1", "tile 1 "),
        ("DELETE FROM log_node WHERE idx = 0", "tile 0 "),
        ("INSERT INTO log_node SELECT shard, 2, idx, hash FROM log_node WHERE idx = 0", "3 tile roots"),
        ("UPDATE checkpoint SET root = (SELECT leaf_hash FROM log_leaf WHERE leaf_index = 1)", "of 5 leaves"),
        ("UPDATE checkpoint SET note = replace(note, '300', '301') WHERE tree_size = 300", "of 300 leaves"),
        ("UPDATE checkpoint SET tree_size = 299 WHERE tree_size = 300", "of 299 leaves"),
    ],
)
def test_check_log_names_what_was_changed(engine: Engine, vault: Vault, tampering: str, found: str) -> None:
    filled(engine, vault)
    other = UUID(int=4711)
    shown = f"x'{other.hex}'" if engine.dialect.name == "sqlite" else f"'{other}'"
    verifiers = [vault.note_signer().verifier]
    with db.unit_of_work(engine, read_only=True) as session:
        assert audit.check_log(session, verifiers, source=records).checkpoints == 3
    tamper(engine, tampering.format(other=shown))
    with db.unit_of_work(engine, read_only=True) as session, pytest.raises(audit.LogBroken, match=found):
        audit.check_log(session, verifiers, source=records)


def test_a_record_that_says_something_else_now_is_found(session: Session, vault: Vault) -> None:
    def rewritten(session: Session, record_ids: Sequence[UUID]) -> Mapping[UUID, audit.Contents]:
        said = dict(records(session, record_ids))
        said[leaf(4).record_id] = audit.Contents(leaf(4).record_hash, "accepted", None, None)
        return said

    def thinned(session: Session, record_ids: Sequence[UUID]) -> Mapping[UUID, audit.Contents]:
        return records(session, record_ids[1:])

    grow(session, 9)
    verifiers = [vault.note_signer().verifier]
    with pytest.raises(audit.LogBroken, match="leaf 4 "):
        audit.check_log(session, verifiers, source=rewritten)
    with pytest.raises(audit.LogBroken, match="leaf 0 "):
        audit.check_log(session, verifiers, source=thinned)


def refuses_to_sign(engine: Engine, vault: Vault, stored: int) -> None:
    with pytest.raises(audit.LogBehindCheckpoint, match=f"has {stored} leaves .* checkpoint of 520"):
        db.run(engine, lambda session: audit.publish(session, vault, AT))
    with db.unit_of_work(engine, read_only=True) as session:
        head = audit.newest(session)
        assert head is not None
        assert head.tree_size == 520


def test_nothing_is_signed_behind_the_last_head_nor_after_growing_past_it(engine: Engine, vault: Vault) -> None:
    filled(engine, vault)
    # an older copy of the leaves meets the heads that were signed since
    tamper(engine, "DELETE FROM log_leaf WHERE leaf_index >= 300", "DELETE FROM log_node WHERE idx >= 1")
    refuses_to_sign(engine, vault, 300)
    db.run(engine, lambda session: audit.append(session, [leaf(number) for number in range(1000, 1300)]))
    refuses_to_sign(engine, vault, 600)


def test_nothing_is_signed_over_other_leaves_than_the_last_head_has(engine: Engine, vault: Vault) -> None:
    filled(engine, vault)
    tamper(engine, "UPDATE log_leaf SET leaf_hash = commitment WHERE leaf_index = 519")
    refuses_to_sign(engine, vault, 520)


def test_a_copy_of_the_published_tiles_is_the_whole_tree(session: Session, vault: Vault) -> None:
    grow(session, 700)
    head = audit.publish(session, vault, AT)
    published = {tile: queries.tile(session, tile) for tile in tlog.tiles_for(700)}
    read = tlog.read_from_tiles(700, published.__getitem__)
    assert tlog.Tree(read, 700).root() == head.root
    leaves = [
        data
        for tile, content in published.items()
        if tile.level == tlog.ENTRIES
        for data in tlog.decode_bundle(content, tile.width)
    ]
    assert [tlog.leaf_hash(data) for data in leaves] == [read(0, index) for index in range(700)]
