"""Finance over HTTP: the city's money, and money that residents have for a purpose or set aside."""

from cardsvc.finance.api.books import blueprint, make_vouchers
from cardsvc.finance.api.reading import blueprint as reading_blueprint
from cardsvc.finance.api.wallets import blueprint as wallets_blueprint

__all__ = ["blueprint", "make_vouchers", "reading_blueprint", "wallets_blueprint"]
