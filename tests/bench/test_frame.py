"""How figures come about: turns, medians of ratios, targets."""

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner

from bench import frame
from bench.commands import BENCHES, bench
from bench.peers import how_to_get, peer_python


def counted(order: list[str], name: str, values: list[float]) -> Callable[[int], float]:
    def run(turn: int) -> float:
        order.append(name)
        return values[turn]

    return run


def test_runners_take_turns_and_the_first_round_is_not_counted() -> None:
    order: list[str] = []
    runners = {"a": counted(order, "a", [99, 2, 2, 6]), "b": counted(order, "b", [1, 1, 4, 2])}
    race = frame.race(runners, frame.Options(rounds=3))
    assert order == ["a", "b", "b", "a", "a", "b", "b", "a"]
    assert race.values == {"a": (2, 2, 6), "b": (1, 4, 2)}


def test_the_ratio_is_the_median_of_the_rounds_not_the_ratio_of_the_medians() -> None:
    race = frame.Race({"a": (2, 2, 6), "b": (1, 4, 2)})
    assert race.ratio("a", "b") == 2
    assert race.median("a") / race.median("b") == 1


@pytest.mark.parametrize(
    ("target", "ratio", "holds"),
    [
        (frame.at_least(0.65), 0.65, True),
        (frame.at_least(0.65), 0.64, False),
        (frame.at_most(2), 2.5, False),
        (frame.exactly(0), 0, True),
        (None, 1, None),
        (frame.at_least(1), None, None),
    ],
)
def test_a_target_holds_for_a_ratio_that_was_measured(
    target: frame.Target | None, ratio: float | None, holds: bool | None
) -> None:
    figure = frame.Figure("posting", 10.0, "entries/s", "the floor", ratio, target)
    assert figure.holds is holds


def test_a_figure_is_told_as_the_design_says() -> None:
    figure = frame.Figure("posting", 10.0, "entries/s", "the floor", 0.7, frame.at_least(0.65))
    assert json.loads(json.dumps(figure.to_json())) == {
        "name": "posting",
        "value": 10.0,
        "unit": "entries/s",
        "against": "the floor",
        "ratio": 0.7,
        "target": ">= 0.65",
        "holds": True,
    }


def test_a_peer_that_is_not_here_is_named_and_not_counted() -> None:
    assert peer_python("nobody") is None
    figure = frame.missing("posting", "entries/s", how_to_get("nobody"), frame.at_least(6))
    assert figure.holds is None
    assert figure.to_json()["against"] == "missing: nobody is not installed (python -m tests.judges nobody)"


def test_the_machine_is_described() -> None:
    assert {"processor", "cores", "load", "system", "python", "ifma"} == set(frame.machine())


def test_the_command_names_its_benches() -> None:
    told = CliRunner().invoke(bench, ["--help"])
    assert told.exit_code == 0
    assert all(name in told.output for name in BENCHES)
    assert CliRunner().invoke(bench, ["nothing"]).exit_code == 2
