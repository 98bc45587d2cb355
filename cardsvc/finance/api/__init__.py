"""Finance over HTTP: the city's money, and money that residents have for a purpose, set aside or send."""

from cardsvc import access, web
from cardsvc.finance.api import books, mandates, reading, transfers, wallets


def blueprints(by_two: access.ActionHandler) -> list[web.ApiBlueprint]:
    """The room's operations; `by_two` is the action that books a voucher."""
    return [
        books.blueprint,
        reading.blueprint,
        wallets.blueprint,
        transfers.blueprint,
        transfers.own_blueprint,
        mandates.blueprint,
        mandates.own_blueprint,
        books.make_vouchers(by_two),
    ]


__all__ = ["blueprints"]
