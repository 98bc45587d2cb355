"""Makes denylist-v1.json: deny lists, deltas, and policies with the fields that came with them; read or refused.

Run `python -m tests.vectors.make_denylist` only to add cases; a case that was published never changes. Invalid messages
are put together with cbor2 and signed where a signature is not the fault, so that exactly one thing is wrong.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from crypto import keys
from crypto.wire import denylist, policy
from crypto.wire.denylist import DenyDelta, DenyList, content_hash, pack
from crypto.wire.policy import OfflineLimits, sign_policy
from tests.testdata import vectors
from tests.vectors.make_wire import CITY, POLICY, SERVICE, TERMINAL, Case, _payload, _signed
from tests.vectors.wire_bodies import AT_MS
from tests.vectors.wire_faults import HEADERS, Change, changed, put_in


def entries(*numbers: int) -> bytes:
    """Entries whose last byte is the number."""
    return pack(number.to_bytes(16, "big") for number in numbers)


ACTION_ID = POLICY.deny[0]
BASE = DenyList(7, AT_MS, entries(1, 3, 5, 9), entries(200, 201))
NEXT = DenyList(9, AT_MS + 60_000, entries(1, 2, 3, 9), entries(200, 202), ACTION_ID)
DELTA = DenyDelta(
    base_number=BASE.number,
    base_hash=BASE.hash(),
    number=NEXT.number,
    result_hash=NEXT.hash(),
    issued_at_ms=NEXT.issued_at_ms,
    added_cards=entries(2),
    removed_cards=entries(5),
    added_keys=entries(202),
    removed_keys=entries(201),
    action_id=ACTION_ID,
)
EMPTY_DELTA = DenyDelta(7, BASE.hash(), 8, content_hash(8, BASE.cards, BASE.keys), AT_MS)
OWED = DenyList(10, AT_MS + 120_000, NEXT.cards, NEXT.keys, owing=entries(4, 6))
OWED_DELTA = replace(
    DELTA, number=10, result_hash=OWED.hash(), issued_at_ms=OWED.issued_at_ms, action_id=None, added_owing=OWED.owing
)
LIMITS = OfflineLimits(5_000, 20_000, 20, 86_400_000, 43_200_000, 64_800_000, 2_500, 5_000)
NEW_POLICY = replace(POLICY, deny=(), limits=LIMITS, deny_number=9)


def valid() -> Iterator[Case]:
    yield Case("list of cards and keys", "list", denylist.sign_list(BASE, SERVICE))
    yield Case("list of nothing", "list", denylist.sign_list(DenyList(1, AT_MS, b"", b""), SERVICE))
    yield Case("list that two people signed for", "list", denylist.sign_list(NEXT, SERVICE))
    yield Case("delta with every change", "delta", denylist.sign_delta(DELTA, SERVICE))
    yield Case("delta that changes nothing but the number", "delta", denylist.sign_delta(EMPTY_DELTA, SERVICE))
    yield Case("policy that names a deny list and the steps of age", "policy", sign_policy(NEW_POLICY, SERVICE))
    warning = replace(NEW_POLICY, limits=OfflineLimits(5_000, 20_000, 20, 86_400_000, 86_400_000))
    yield Case("policy that warns and does not lower", "policy", sign_policy(warning, SERVICE))
    nothing = replace(NEW_POLICY, limits=OfflineLimits(5_000, 20_000, 20, 86_400_000, age_lower_ms=1))
    yield Case("policy whose lower ceilings are nothing", "policy", sign_policy(nothing, SERVICE))
    yield Case("list of cards whose holders owe a fare", "list", denylist.sign_list(OWED, SERVICE))
    yield Case("delta to a list of cards whose holders owe a fare", "delta", denylist.sign_delta(OWED_DELTA, SERVICE))


def _packed_faults(tag: int) -> dict[str, tuple[Change, str]]:
    return {
        "with entries out of order": (put_in(2, tag, entries(3) + entries(1)), "malformed"),
        "with an entry twice": (put_in(2, tag, entries(3) * 2), "malformed"),
        "with an entry of 15 bytes": (put_in(2, tag, bytes(15)), "malformed"),
        "with entries as an array": (put_in(2, tag, [entries(3)]), "malformed"),
        "with a field that is not known": (put_in(2, 11, 1), "malformed"),
        "with an action id of 15 bytes": (put_in(2, 10 if tag > 4 else 5, bytes(15)), "malformed"),
    }


LISTS: dict[str, tuple[Change, str]] = {
    **HEADERS,
    **_packed_faults(3),
    "with number 0": (put_in(2, 1, 0), "malformed"),
    "with keys missing": (lambda parts: parts[2].pop(4), "malformed"),
}
DELTAS: dict[str, tuple[Change, str]] = {
    **HEADERS,
    **_packed_faults(6),
    "that leads back": (put_in(2, 3, 6), "malformed"),
    "that leads nowhere": (put_in(2, 3, 7), "malformed"),
    "from the list 0": (put_in(2, 1, 0), "malformed"),
    "that adds what it removes": (put_in(2, 7, entries(2)), "malformed"),
    "with a default written out": (put_in(2, 6, b""), "malformed"),
    "with a hash of 31 bytes": (put_in(2, 2, bytes(31)), "malformed"),
    "from another list of that number": (put_in(2, 2, bytes(32)), "delta_does_not_fit"),
    "from a list of another number": (put_in(2, 1, 6), "delta_does_not_fit"),
    "that lacks a change": (lambda parts: parts[2].pop(6), "delta_does_not_fit"),
    "with another result": (put_in(2, 4, bytes(32)), "delta_does_not_fit"),
    "to another number": (put_in(2, 3, 10), "delta_does_not_fit"),
}


OWED_FAULTS: dict[str, tuple[Change, str]] = {
    "list with cards that owe out of order": (put_in(2, 6, entries(6) + entries(4)), "malformed"),
    "list with cards that owe written out where there are none": (put_in(2, 6, b""), "malformed"),
    "list with a field behind the cards that owe": (put_in(2, 7, 1), "malformed"),
    "delta with a field behind the cards that owe": (put_in(2, 13, 1), "malformed"),
    "delta that adds and removes a card that owes": (put_in(2, 12, entries(4)), "malformed"),
    "delta that lacks the cards that owe": (lambda parts: parts[2].pop(11), "delta_does_not_fit"),
    "delta that names fewer cards that owe": (put_in(2, 11, entries(4)), "delta_does_not_fit"),
}


def _limit(tag: int, value: Any) -> Change:
    def change(parts: list[Any]) -> None:
        parts[2][7][tag] = value

    return change


POLICIES: dict[str, tuple[Change, str]] = {
    "that names the deny list 0": (put_in(2, 11, 0), "malformed"),
    "that names a negative deny list": (put_in(2, 11, -1), "malformed"),
    "that lowers before it warns": (_limit(5, 64_800_001), "malformed"),
    "that lowers after it stops": (_limit(6, 86_400_001), "malformed"),
    "with a lower ceiling above the other": (_limit(7, 5_001), "malformed"),
    "with a lower day above the other": (_limit(8, 20_001), "malformed"),
    "with lower ceilings and no age": (lambda parts: parts[2][7].pop(6), "malformed"),
}


def invalid() -> Iterator[Case]:
    signed_list, delta = denylist.sign_list(BASE, SERVICE), denylist.sign_delta(DELTA, SERVICE)
    for name, (change, error) in LISTS.items():
        message = _signed(changed(_payload(signed_list), change), SERVICE, denylist.LIST_AAD)
        yield Case(f"list {name}", "list", message, error)
    for name, (change, error) in DELTAS.items():
        message = _signed(changed(_payload(delta), change), SERVICE, denylist.DELTA_AAD)
        yield Case(f"delta {name}", "delta", message, error)
    for name, (change, error) in POLICIES.items():
        payload = changed(_payload(sign_policy(NEW_POLICY, SERVICE)), change)
        yield Case(f"policy {name}", "policy", _signed(payload, SERVICE, policy.AAD), error)
    yield from _invalid_signatures(signed_list, delta)
    for name, (change, error) in OWED_FAULTS.items():
        payload, aad = _owed_payload(name.startswith("list"))
        yield Case(name, name.split()[0], _signed(changed(payload, change), SERVICE, aad), error)


def _owed_payload(whole: bool) -> tuple[bytes, bytes]:
    if whole:
        return _payload(denylist.sign_list(OWED, SERVICE)), denylist.LIST_AAD
    return _payload(denylist.sign_delta(OWED_DELTA, SERVICE)), denylist.DELTA_AAD


def _invalid_signatures(signed_list: bytes, delta: bytes) -> Iterator[Case]:
    wrong = "invalid_signature"
    by_terminal = _signed(_payload(signed_list), TERMINAL, denylist.LIST_AAD)
    yield Case("list signed by a terminal", "list", by_terminal, wrong)
    yield Case("list signed as a delta", "list", _signed(_payload(signed_list), SERVICE, denylist.DELTA_AAD), wrong)
    yield Case("list signed as a policy", "list", _signed(_payload(signed_list), SERVICE, policy.AAD), wrong)
    by_terminal = _signed(_payload(delta), TERMINAL, denylist.DELTA_AAD)
    yield Case("delta signed by a terminal", "delta", by_terminal, wrong)
    yield Case("delta signed as a list", "delta", _signed(_payload(delta), SERVICE, denylist.LIST_AAD), wrong)
    yield Case("list passed off as a delta", "delta", signed_list, wrong)
    yield Case("delta passed off as a list", "list", delta, wrong)
    yield Case("list with leftovers", "list", signed_list + b"\x00", "malformed")


def document() -> str:
    """The file's text, one case a line."""
    public = {"terminal": TERMINAL, "service": SERVICE}
    header = {
        "version": 1,
        "keys": {name: keys.point(signer.public_key).hex() for name, signer in public.items()},
        "city_keys": CITY.format(),
        "base": {"number": BASE.number, "issued_at_ms": BASE.issued_at_ms, "hash": BASE.hash().hex()},
    }
    cases = [
        json.dumps({"name": case.name, "message": case.message, "error": case.error, "hex": case.data.hex()})
        for case in (*valid(), *invalid())
    ]
    return json.dumps(header)[:-1] + ',\n"cases": [\n' + ",\n".join(cases) + "\n]}\n"


if __name__ == "__main__":
    vectors("denylist-v1.json").write_text(document())
