"""How alike two names, addresses or dates are. Pure arithmetic, the same on every machine."""

from functools import lru_cache

from rapidfuzz.distance import JaroWinkler

DATE_DIGITS = 8


def jaro_winkler(one: str, other: str, least: float) -> float:
    """Between 0 and 1, after Winkler, "String Comparator Metrics" (1990): a common beginning of 4 counts extra.

    Less than `least` comes back as 0: most names are far apart, and saying so early is quick. RapidFuzz, as Winkler,
    counts the beginning only from 0.7 upwards; with it no text below that would reach 0.83.
    """
    return JaroWinkler.similarity(one, other, score_cutoff=least)


@lru_cache(maxsize=10_000)
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
