"""How old the city's news are: from fresh, by a warning and lower ceilings, to the end of the policy."""

from dataclasses import replace
from enum import StrEnum

from crypto.wire.policy import OfflineLimits, Policy


class News(StrEnum):
    """By the age of the policy, whose deny list is as old as it: what was denied since then is not known here."""

    FRESH = "fresh"
    OLD = "old"  # staff are warned
    VERY_OLD = "very_old"  # the lower ceilings hold

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]


_SENTENCES = {
    News.FRESH: "The city's news are fresh.",
    News.OLD: "This terminal has had no news from the city for some time; connect it to the network today.",
    News.VERY_OLD: "This terminal has had no news from the city for long, and takes small sums only; connect it now.",
}


def news_at(policy: Policy, now_ms: int) -> News:
    age_ms, limits = now_ms - policy.issued_at_ms, policy.limits
    if limits.age_lower_ms and age_ms >= limits.age_lower_ms:
        return News.VERY_OLD
    return News.OLD if limits.age_warning_ms and age_ms >= limits.age_warning_ms else News.FRESH


def limits_at(policy: Policy, now_ms: int) -> OfflineLimits:
    """The ceilings that hold now."""
    limits = policy.limits
    if news_at(policy, now_ms) is not News.VERY_OLD:
        return limits
    return replace(limits, tap_cents_max=limits.lower_tap_cents_max, card_day_cents_max=limits.lower_card_day_cents_max)
