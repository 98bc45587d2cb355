"""`./city bench crypto`: verifying many signatures, against `cryptography` on one thread."""

from collections.abc import Iterator

from bench.corpus import good, mutated
from bench.frame import Figure, Options, at_least, exactly, missing, race, rate
from bench.limits import VERIFY, raw_verify
from crypto import verifying
from crypto.verifying import AcceleratorAbsent, Lanes, Portable, Verifier

_UNIT = "verifications/s"
_ACCELERATED = at_least(3.5)
_SAME = exactly(0)


def figures(options: Options) -> Iterator[Figure]:
    count = options.size(2048, 256)
    lanes = _lanes()
    verifiers: dict[str, Verifier] = {"portable, one thread": Portable()}
    if isinstance(lanes, Lanes):
        verifiers["accelerator, one thread"] = lanes
    verifiers[f"as chosen here ({verifying.chosen().name}), all cores"] = verifying.chosen().verifier
    corpus = good(count)

    def verified(verifier: Verifier) -> float:
        return rate(lambda: sum(verifier.verdicts(corpus.keys, corpus.messages, corpus.signatures)))

    runners = {name: (lambda _turn, verifier=verifier: verified(verifier)) for name, verifier in verifiers.items()}
    won = race({VERIFY: lambda _turn: raw_verify(count), **runners}, options)
    for name in verifiers:
        yield won.figure(name, _UNIT, VERIFY, _ACCELERATED if name.startswith("accelerator") else None)
    if isinstance(lanes, AcceleratorAbsent):
        yield missing("accelerator, one thread", _UNIT, str(lanes), _ACCELERATED)
    yield from _differing(options, verifiers, lanes)


def _differing(options: Options, verifiers: dict[str, Verifier], lanes: Lanes | AcceleratorAbsent) -> Iterator[Figure]:
    """How many verdicts differ from those of `cryptography`, taken one by one."""
    corpus = mutated(options.size(25_000, 1000))
    expected = Portable().verdicts(corpus.keys, corpus.messages, corpus.signatures)
    for name, verifier in verifiers.items():
        verdicts = verifier.verdicts(corpus.keys, corpus.messages, corpus.signatures)
        differing = sum(one != other for one, other in zip(verdicts, expected, strict=True))
        against = f"verdicts of cryptography on {len(corpus)} mutated cases, {sum(expected)} of them good"
        yield Figure(f"verdicts differing: {name}", differing, "verdicts", against, float(differing), _SAME)
    if isinstance(lanes, AcceleratorAbsent):
        yield missing("verdicts differing: accelerator", "verdicts", str(lanes), _SAME)


def _lanes() -> Lanes | AcceleratorAbsent:
    try:
        return Lanes(verifying.open_accelerator())
    except AcceleratorAbsent as absent:
        return absent
