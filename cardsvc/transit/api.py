"""The public tariff."""

from typing import Any, ClassVar

from flask.views import MethodView

from cardsvc import web
from cardsvc.access import guard
from cardsvc.errors import CityError, ErrorKind
from cardsvc.transit import queries, quotes
from cardsvc.transit.rules import Asked, Tariff
from cardsvc.transit.schemas import QuoteQuery, QuoteSchema, TariffSchema

blueprint = web.ApiBlueprint("transit", __name__, url_prefix="/v1/transit", description="Fares")


class NoTariff(CityError):
    code: ClassVar[str] = "no_tariff"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("No tariff is in force. Import a GTFS feed first: ./city transit import FOLDER")


@blueprint.route("/tariff")
class CurrentTariff(MethodView):
    @guard.public
    @blueprint.response(200, TariffSchema)
    @blueprint.fails(404)
    def get(self) -> Tariff:
        """The fares in force now."""
        tariff = queries.tariff_at(web.session(), web.now())
        if tariff is None:
            raise NoTariff
        return tariff


@blueprint.route("/quote")
class Quote(MethodView):
    @guard.public
    @blueprint.arguments(QuoteQuery, location="query")
    @blueprint.response(200, QuoteSchema)
    @blueprint.fails(404, 422)
    def get(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What a ride would cost, and each row that makes it so; the answer of `./city transit quote`."""
        asked["categories"] = tuple(asked["categories"])
        answer = quotes.quote(web.session(), Asked(**asked))
        if answer is None:
            raise NoTariff
        document = answer.document()
        return {**document, "from_stop": document["from"], "to_stop": document["to"]}
