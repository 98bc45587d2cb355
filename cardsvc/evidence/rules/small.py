"""The small tables, judged by themselves: signed heads, stored tiles, the chart, refused items."""

from collections.abc import Sequence
from dataclasses import dataclass

from cardsvc.evidence.rules import tables
from cardsvc.evidence.rules.files import File
from cardsvc.evidence.rules.findings import Finding
from cardsvc.evidence.rules.lines import BadLine, read_number, read_text
from cardsvc.evidence.rules.results import Judged
from crypto import tlog
from crypto.errors import CryptoError

_DEBIT_KINDS = frozenset({"asset", "expense"})
_KINDS = _DEBIT_KINDS | {"liability", "equity", "revenue"}


@dataclass(frozen=True, slots=True)
class Head:
    """A signed head of the log; `line` is where it stands, `note` what the log signed."""

    line: int
    size: int
    root: bytes
    note: str


@dataclass(frozen=True, slots=True)
class StoredTile:
    """The stored root of a full tile."""

    line: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Account:
    """What the entries are held to. `balance` is natural, None on a derived account."""

    line: int
    sign: int
    currency: str
    floor: int | None
    opened_at: int
    closed_at: int | None
    balance: int | None


def read_heads(file: File, verifiers: Sequence[tlog.NoteVerifier]) -> tuple[Judged, list[Head]]:
    """Every signed head, its signature verified, in ascending order."""
    judged, heads = Judged(file.name, 0), list[Head]()
    for place, fields in file.rows(tables.CHECKPOINTS, 0, judged.findings):
        if fields is None:
            judged.unread += 1
            continue
        _, size, root, _published, note = fields
        name = f"checkpoint {size}"
        try:
            words = read_text(note) or ""
            signed = tlog.open_checkpoint(words, verifiers)
            head = Head(place, int(size), bytes.fromhex(root), words)
            judged.counts.checkpoints += 1
            if (signed.size, signed.root) != (head.size, head.root):
                judged.findings.append(Finding(file.name, place, name, "checkpoint", "it signs another head"))
            elif heads and head.size <= heads[-1].size:
                judged.findings.append(Finding(file.name, place, name, "checkpoint", "it is not in its order"))
            else:
                heads.append(head)
        except (CryptoError, ValueError) as error:
            judged.findings.append(Finding(file.name, place, name, "checkpoint", f"it does not verify: {error}"))
    return judged, heads


def read_tiles(file: File) -> tuple[Judged, dict[tuple[int, int], StoredTile]]:
    """The stored tile roots by level and index: one for 256 leaves."""
    judged, stored = Judged(file.name, 0), dict[tuple[int, int], StoredTile]()
    for place, fields in file.rows(tables.TILES, 0, judged.findings):
        if fields is None:
            judged.unread += 1
            continue
        _, level, index, root = fields
        try:
            stored[int(level), int(index)] = StoredTile(place, bytes.fromhex(root))
        except ValueError as error:
            judged.findings.append(Finding(file.name, place, "", "tile", str(error)))
    return judged, stored


def read_accounts(file: File) -> tuple[Judged, dict[str, Account]]:
    """The chart by code."""
    judged, accounts = Judged(file.name, 0), dict[str, Account]()
    place_of = {name: tables.ACCOUNTS.place(name) for name in tables.ACCOUNTS.columns}
    for place, fields in file.rows(tables.ACCOUNTS, 0, judged.findings):
        if fields is None:
            judged.unread += 1
            continue
        code = read_text(fields[place_of["code"]]) or ""
        kind, policy = fields[place_of["kind"]], fields[place_of["policy"]]
        try:
            account = Account(
                place,
                1 if kind in _DEBIT_KINDS else -1,
                fields[place_of["currency"]],
                read_number(fields[place_of["floor_cents"]]),
                int(fields[place_of["opened_at"]]),
                read_number(fields[place_of["closed_at"]]),
                read_number(fields[place_of["balance_cents"]]),
            )
            repeated = read_number(fields[place_of["balance_floor_cents"]])
        except (BadLine, ValueError) as error:
            judged.findings.append(Finding(file.name, place, f"account {code}", "account", str(error)))
            continue
        problem = None
        if kind not in _KINDS or policy not in ("checked", "derived"):
            problem = f"there is no kind {kind} with the policy {policy}"
        elif code in accounts:
            problem = "it is there twice"
        elif (policy == "checked") != (account.balance is not None) or account.floor != repeated:
            problem = "it has a live balance and should not, or should and has none, or has another floor there"
        if problem:
            judged.findings.append(Finding(file.name, place, f"account {code}", "account", problem))
        accounts[code] = account
    judged.counts.accounts = len(accounts)
    return judged, accounts


def read_refused(file: File) -> Judged:
    """Items nobody can be held to: the lines are whole, and each is there once."""
    judged, seen = Judged(file.name, 0), ("", "", "")
    for place, fields in file.rows(tables.REFUSED, 0, judged.findings):
        if fields is None:
            judged.unread += 1
            continue
        _, item_hash, terminal_id, _batch, _record, reason, received_at = fields
        order = received_at.rjust(15, "0"), terminal_id, item_hash
        if order <= seen or not reason:
            judged.findings.append(Finding(file.name, place, f"item {item_hash}", "refused", "it is not in its order"))
        seen = order
        judged.counts.refused += 1
    return judged
