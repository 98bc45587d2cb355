"""What our own files of a feed must agree on with its fares, once both are read. Places are named "file:row"."""

from collections.abc import Iterator, Mapping
from datetime import date

from cardsvc.transit.rules.checking import Wrong
from cardsvc.transit.rules.compiling import show_amount
from cardsvc.transit.rules.tables import FareTables, Product
from cardsvc.transit.rules.tariffs import PARTS
from cardsvc.transit.rules.terms import Concession, Terms


def check_terms(tables: FareTables, terms: Terms, *, since: date | None, wrong: Wrong) -> None:
    """Add every wrong place to `wrong`. `since` is the first day of the feed, where it says so."""
    _check_floors(terms, wrong)
    _check_products(tables, terms, since, wrong)
    _check_holds(tables, terms, wrong)


def _check_floors(terms: Terms, wrong: Wrong) -> None:
    """A concession that gives less than the law gives to the same riders on the same days would never count."""
    laws = [law for law in terms.concessions if law.statutory]
    for concession in terms.concessions:
        law = next((law for law in laws if law.part > concession.part and _covers(law, concession)), None)
        if law is not None:
            less, more = _percent(concession), _percent(law)
            problem = f"It gives {less} %, less than the {more} % that x_concessions.txt:{law.row} gives by law."
            wrong.setdefault(f"x_concessions.txt:{concession.row}", []).append(problem)


def _covers(law: Concession, other: Concession) -> bool:
    return (
        law.category == other.category
        and (not law.networks or (bool(other.networks) and other.networks <= law.networks))
        and law.valid_from <= other.valid_from
        and other.valid_to <= law.valid_to
    )


def _check_products(tables: FareTables, terms: Terms, since: date | None, wrong: Wrong) -> None:
    """No category's own price is above what the law leaves of everybody's."""
    laws = [law for law in terms.concessions if _is_general(law, since)]
    for products in tables.products.values():
        for product, usual in _pairs(products, tables.default_category):
            for law in laws:
                most = usual.amount_cents * (PARTS - int(law.part * PARTS)) // PARTS
                if law.category == product.category and product.amount_cents > most:
                    own, left, full = (
                        show_amount(cents, tables.currency)
                        for cents in (product.amount_cents, most, usual.amount_cents)
                    )
                    problem = f"It costs {own}; x_concessions.txt:{law.row} leaves at most {left} of {full} by law."
                    wrong.setdefault(f"fare_products.txt:{product.row}", []).append(problem)


def _is_general(law: Concession, since: date | None) -> bool:
    """Whether it holds everywhere and from the first day of the feed on."""
    return law.statutory and not law.networks and law.valid_to == date.max and law.valid_from <= (since or date.max)


def _pairs(products: tuple[Product, ...], default: str) -> Iterator[tuple[Product, Product]]:
    """Each category's row of a product, and everybody's for the same medium."""
    usual = {product.medium: product for product in products if product.category in ("", default)}
    for product in products:
        if product.category not in ("", default) and product.medium in usual and product.amount_cents > 0:
            yield product, usual[product.medium]


def _check_holds(tables: FareTables, terms: Terms, wrong: Wrong) -> None:
    """What is held when a ride begins is enough for every ride of its network."""
    dearest = _dearest(tables)
    for rule in terms.incomplete.values():
        fare = max(dearest.get(rule.network, 0), dearest.get("", 0))
        if rule.maximum_cents < fare:
            held, most = show_amount(rule.maximum_cents, tables.currency), show_amount(fare, tables.currency)
            problem = f"The maximum fare is {held}, but a ride costs up to {most}."
            wrong.setdefault(f"x_incomplete.txt:{rule.row}", []).append(problem)


def _dearest(tables: FareTables) -> Mapping[str, int]:
    """The highest price of a leg on each network."""
    found: dict[str, int] = {}
    for rule in tables.leg_rules:
        for product in tables.products.get(rule.product_id, ()):
            found[rule.network] = max(found.get(rule.network, 0), product.amount_cents)
    return found


def _percent(concession: Concession) -> str:
    whole, hundredths = divmod(int(concession.part * PARTS), 100)
    return f"{whole}.{hundredths:02}" if hundredths else str(whole)
