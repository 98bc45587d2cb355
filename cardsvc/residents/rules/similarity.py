"""How alike two names, addresses or dates are. Pure arithmetic, the same on every machine."""

from functools import lru_cache

PREFIX_MAX = 4
PREFIX_SHARE = 0.1
DATE_DIGITS = 8


@lru_cache(maxsize=200_000)
def jaro_winkler(one: str, other: str) -> float:
    """Between 0 and 1, after Winkler, "String Comparator Metrics" (1990): a common beginning of 4 counts extra."""
    if one == other:
        return 1.0
    jaro = _jaro(one, other)
    prefix = 0
    for left, right in zip(one[:PREFIX_MAX], other[:PREFIX_MAX], strict=False):
        if left != right:
            break
        prefix += 1
    return jaro + prefix * PREFIX_SHARE * (1 - jaro)


def can_reach(one: str, other: str, least: float) -> bool:
    """Whether `jaro_winkler` could be `least` or more: most names differ by their letters alone, and that is quick.

    A letter that only one of the two has matches nothing, so it bounds how many can match.
    """
    if not one or not other:
        return False
    left, right = _letters(one), _letters(other)
    matched = min(len(one) - len(left - right), len(other) - len(right - left))
    bound = (matched / len(one) + matched / len(other) + 1) / 3
    if one[0] == other[0]:
        bound += PREFIX_MAX * PREFIX_SHARE * (1 - bound)
    return bound >= least


@lru_cache(maxsize=100_000)
def _letters(text: str) -> frozenset[str]:
    return frozenset(text)


def _jaro(one: str, other: str) -> float:
    """Letters in common that stand near each other, less half of those in another order."""
    if not one or not other:
        return 0.0
    reach = max(max(len(one), len(other)) // 2 - 1, 0)
    used = [False] * len(other)
    matched: list[str] = []
    for place, letter in enumerate(one):
        for at in range(max(place - reach, 0), min(place + reach + 1, len(other))):
            if not used[at] and other[at] == letter:
                used[at] = True
                matched.append(letter)
                break
    if not matched:
        return 0.0
    there = [letter for letter, taken in zip(other, used, strict=True) if taken]
    moved = sum(left != right for left, right in zip(matched, there, strict=True)) // 2
    common = len(matched)
    return (common / len(one) + common / len(other) + (common - moved) / common) / 3


@lru_cache(maxsize=200_000)
def pairs_of_letters(text: str) -> frozenset[str]:
    """Every two neighbouring letters, the blanks between words included."""
    framed = f" {text} "
    return frozenset(framed[place : place + 2] for place in range(len(framed) - 1))


def dice(one: str, other: str) -> float:
    """Between 0 and 1: the share of letter pairs that two texts have in common. Order of words hardly matters."""
    if not one or not other:
        return 0.0
    left, right = pairs_of_letters(one), pairs_of_letters(other)
    return 2 * len(left & right) / (len(left) + len(right))


def is_slip(one: str, other: str) -> bool:
    """Whether two dates (YYYYMMDD) differ as a typist slips: a wrong digit, neighbours or day and month swapped."""
    if len(one) != DATE_DIGITS or len(other) != DATE_DIGITS:
        return False
    wrong = [place for place in range(DATE_DIGITS) if one[place] != other[place]]
    if len(wrong) == 1 or (one[:4] == other[:4] and one[4:6] == other[6:] and one[6:] == other[4:6]):
        return True
    first, last = wrong[0], wrong[-1]
    return len(wrong) == 2 and last == first + 1 and one[first] == other[last] and one[last] == other[first]  # noqa: PLR2004
