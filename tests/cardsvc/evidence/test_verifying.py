"""An export of a true city is proved with nothing but its public keys."""

from collections.abc import Callable
from pathlib import Path

from cardsvc import evidence
from tests.town import Town

def _permits() -> dict[int, evidence.Permit]:
    from cardsvc.app import wiring
    return {k: evidence.Permit(frozenset(frozenset({int(p)}) for p in h.purposes), h.device_kinds) for k, h in wiring.handlers().registry.items()}

def test_a_busy_town_is_proved(busy: Town, exported: Callable[[Town, str], Path]) -> None:
    folder = exported(busy, "export")
    verdict = evidence.verify(folder, keys_text=busy.city.vault.city_keys().format(), permits=_permits(), jobs=1)
    print(verdict)
    assert not verdict.findings
    assert verdict.holds
