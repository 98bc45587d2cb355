"""The live board for programs: screens on a wall, alarms."""

from typing import Any

from flask.views import MethodView
from marshmallow import fields

from cardsvc import web
from cardsvc.access import guard
from cardsvc.transit.board import queries

blueprint = web.ApiBlueprint("transit_board", __name__, url_prefix="/v1/transit", description="Gates at work")
READERS = ("admin", "card_officer", "finance", "treasurer", "auditor")


class BoardLineSchema(web.ApiSchema):
    network = fields.String()
    taps = fields.Integer()
    late = fields.Integer(metadata={"description": "of these, made before the hour began"})
    minutes = fields.List(fields.Integer(), metadata={"description": "taps that came in each minute, the oldest first"})


class GateSchema(web.ApiSchema):
    device_id = fields.UUID()
    name = fields.String()
    hearing = fields.String(metadata={"enum": [one.value for one in queries.Hearing]})
    last_contact = fields.AwareDateTime(allow_none=True)
    taps = fields.Integer()
    policy_number = fields.Integer(allow_none=True)
    list_age_seconds = fields.Integer(
        allow_none=True, metadata={"description": "since when there is a newer list than its own; 0: it has the newest"}
    )


class RefusalsSchema(web.ApiSchema):
    reason = fields.String(metadata={"description": "a code of crypto/FORMATS.md"})
    count = fields.Integer()


class BoardSchema(web.ApiSchema):
    since = fields.AwareDateTime()
    until = fields.AwareDateTime()
    quiet = fields.Integer(metadata={"description": "gates not heard of for 15 minutes"})
    lines = fields.List(fields.Nested(BoardLineSchema))
    gates = fields.List(fields.Nested(GateSchema))
    refusals = fields.List(fields.Nested(RefusalsSchema))


@blueprint.route("/board")
class LiveBoard(MethodView):
    @guard.requires(*READERS)
    @blueprint.response(200, BoardSchema)
    def get(self) -> dict[str, Any]:
        """The last hour: taps by minute and network, gates that are silent or have an old list, refusals."""
        found = queries.board(web.session(), web.now())
        gates = [
            {
                "device_id": gate.device_id,
                "name": gate.name,
                "hearing": gate.hearing.value,
                "last_contact": gate.last_contact,
                "taps": gate.taps,
                "policy_number": gate.policy_number,
                "list_age_seconds": None if gate.list_age is None else int(gate.list_age.total_seconds()),
            }
            for gate in found.gates
        ]
        same = {name: getattr(found, name) for name in ("since", "until", "quiet", "lines", "refusals")}
        return same | {"gates": gates}
