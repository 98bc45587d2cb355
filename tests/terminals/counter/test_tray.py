"""A tray of blank cards: one after another, the bad ones put aside, the orders made all the same."""

from collections.abc import Callable

from terminals.card import CardInSlot, CardRemoved, CardSettings, LocalReader, SimulatedCard
from terminals.card.local import LocalConnection
from terminals.counter.making import Bench
from terminals.counter.tray import Fate, Result, Tray, TrayReport
from tests.card_builders import Tearing
from tests.terminals.service import CityService


class Stack:
    """A reader and a stack of cards beside it: whoever waits for a card gets the next."""

    name = "A tray"

    def __init__(self, *cards: CardInSlot) -> None:
        self._cards = list(cards)
        self._reader = LocalReader()

    def wait_for_card(self, timeout: float) -> bool:  # noqa: ARG002
        if self._reader.card is None and self._cards:
            self._reader.insert(self._cards.pop(0))
        return self._reader.card is not None

    def wait_for_removal(self, timeout: float) -> bool:  # noqa: ARG002
        self._reader.remove()
        return True

    def connect(self) -> LocalConnection:
        return self._reader.connect()


def a_second_each() -> Callable[[], float]:
    seconds = iter(range(1_000_000))
    return lambda: float(next(seconds))


def work_through(office: CityService, count: int, *cards: CardInSlot) -> TrayReport:
    orders = [office.approved_card() for _ in range(count)]
    found = [one for one in office.clerk.orders("approved", limit=500) if one.card_id in orders]
    assert len(found) == count
    reader, told = Stack(*cards), list[Result]()
    tray = Tray(
        reader, Bench(reader, office.clerk, office.counter), seconds=a_second_each(), tell=told.append, wait_seconds=0
    )
    report = tray.run(found)
    assert list(report.results) == told
    return report


def fates(report: TrayReport) -> list[Fate]:
    return [result.fate for result in report.results]


def test_each_order_becomes_a_card_that_is_ready(office: CityService) -> None:
    report = work_through(office, 3, *(SimulatedCard.blank() for _ in range(3)))
    assert fates(report) == [Fate.MADE] * 3
    assert (report.left, report.stopped) == (0, "")
    assert report.cards_per_minute > 0
    assert all(office.clerk.card(result.card_id).state == "ready" for result in report.results)


def test_a_bad_card_is_put_aside_and_its_order_goes_on_with_the_next(office: CityService) -> None:
    small = SimulatedCard.blank(CardSettings(object_length_max=300))
    report = work_through(office, 2, small, SimulatedCard.blank(), SimulatedCard.blank())
    assert fates(report) == [Fate.SPOILED, Fate.MADE, Fate.MADE]
    assert report.results[0].code == "card_full"
    assert report.results[0].card_id == report.results[1].card_id


def test_a_card_taken_out_too_early_is_completed_when_it_comes_again(office: CityService) -> None:
    card = SimulatedCard.blank()
    report = work_through(office, 1, Tearing(card, 12, done=True), card)
    assert fates(report) == [Fate.TORN, Fate.MADE]
    assert report.results[0].code == CardRemoved.code


def test_an_empty_tray_ends_the_work_and_says_what_is_left(office: CityService) -> None:
    report = work_through(office, 2, SimulatedCard.blank())
    assert (fates(report), report.left) == ([Fate.MADE], 1)
    assert "no card" in report.stopped


def test_five_bad_cards_in_a_row_are_a_bad_batch(office: CityService) -> None:
    def strange() -> SimulatedCard:
        card = SimulatedCard.blank()
        card.state.management_key = bytes(range(24))
        return card

    report = work_through(office, 1, *(strange() for _ in range(7)))
    assert fates(report) == [Fate.SPOILED] * 5
    assert "batch" in report.stopped


def test_a_service_that_cannot_be_reached_stops_it_and_an_order_it_refuses_is_passed_over(office: CityService) -> None:
    first, second = office.approved_card(), office.approved_card()
    views = [office.clerk.card(first), office.clerk.card(second)]
    office.ask("oscar", "POST", f"/v1/cards/{first}/revocation", {"reason": "withdrawn"})
    reader = Stack(SimulatedCard.blank(), SimulatedCard.blank())
    tray = Tray(
        reader,
        Bench(reader, office.clerk, office.counter),
        seconds=a_second_each(),
        tell=lambda _one: None,
        wait_seconds=0,
    )
    assert fates(tray.run(views)) == [Fate.REFUSED, Fate.MADE]
    office.send.off = True
    reader = Stack(SimulatedCard.blank())
    tray = Tray(
        reader,
        Bench(reader, office.clerk, office.counter),
        seconds=a_second_each(),
        tell=lambda _one: None,
        wait_seconds=0,
    )
    assert "cannot be reached" in tray.run(views).stopped
    office.send.off = False
