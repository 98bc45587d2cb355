"""The public tariff."""

from typing import ClassVar

from flask.views import MethodView

from cardsvc import web
from cardsvc.access import guard
from cardsvc.errors import CityError, ErrorKind
from cardsvc.transit import queries
from cardsvc.transit.rules import Tariff
from cardsvc.transit.schemas import TariffSchema

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
