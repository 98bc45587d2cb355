"""Two entries of one person: pairs that wait, merging and parting."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask.views import MethodView

from cardsvc import web
from cardsvc.access import guard
from cardsvc.residents import actions, queries
from cardsvc.residents.actions import Holdings
from cardsvc.residents.api.noting import READERS, WHOLE_ENTRY, note
from cardsvc.residents.queries import Pair
from cardsvc.residents.schemas import (
    DecisionSchema,
    MergeSchema,
    MergesSchema,
    PairPageSchema,
    PairSchema,
    PairsQuerySchema,
    PartingSchema,
    ResidentSchema,
    shown,
    shown_merge,
    shown_pair,
)


def add_entries(blueprint: web.ApiBlueprint, holdings: Holdings) -> None:
    @blueprint.route("/residents/pairs")
    class Pairs(MethodView):
        @guard.requires(*READERS)
        @blueprint.arguments(PairsQuerySchema, location="query")
        @blueprint.response(200, PairPageSchema)
        def get(self, given: dict[str, Any]) -> dict[str, Any]:
            """Residents who may be one person twice, the likeliest first, with the weight of every field."""
            page = queries.pairs(web.session(), **given)
            return {"pairs": _shown(page.pairs), "next": page.next, "total": page.total}

    @blueprint.route("/residents/pairs/<int:pair_id>/decision")
    class Decision(MethodView):
        @guard.requires("clerk")
        @blueprint.arguments(DecisionSchema)
        @blueprint.response(200, PairSchema)
        def post(self, given: dict[str, Any], pair_id: int) -> dict[str, Any]:
            """Say that the two are one person, whose entry `keep` stays; or, with null, that they are two."""
            by, now = guard.principal().subject_id, web.now()
            decided = actions.decide_pair(web.session(), pair_id, **given, by=by, now=now, holdings=holdings)
            return _shown([decided])[0]

    _add_merges(blueprint, holdings)


def _add_merges(blueprint: web.ApiBlueprint, holdings: Holdings) -> None:
    @blueprint.route("/residents/<uuid:resident_id>/merges")
    class Merges(MethodView):
        @guard.requires("clerk")
        @blueprint.arguments(MergeSchema)
        @blueprint.response(201, ResidentSchema)
        def post(self, given: dict[str, Any], resident_id: UUID) -> dict[str, Any]:
            """Make another entry (`second_id`) a second one of this resident's. Both numbers lead here afterwards."""
            kept = actions.merge(
                web.session(),
                resident_id,
                given["second_id"],
                by=guard.principal().subject_id,
                reason=given["reason"],
                now=web.now(),
                holdings=holdings,
            )
            note([kept.id], "merging two entries", WHOLE_ENTRY)
            return shown(kept)

        @guard.requires(*READERS)
        @blueprint.response(200, MergesSchema)
        def get(self, resident_id: UUID) -> dict[str, Any]:
            """Every merge and parting of this entry, oldest first, with who, when and why."""
            session = web.session()
            entry = queries.find(session, resident_id)
            return {"merges": [shown_merge(step) for step in queries.merges(session, entry.id)]}

    @blueprint.route("/residents/<uuid:resident_id>/parting")
    class Parting(MethodView):
        @guard.requires("clerk")
        @blueprint.arguments(PartingSchema)
        @blueprint.response(200, ResidentSchema)
        def post(self, given: dict[str, Any], resident_id: UUID) -> dict[str, Any]:
            """Undo the merge of this entry: it is a resident of its own again, with the status it had."""
            by = guard.principal().subject_id
            parted = actions.part(web.session(), resident_id, by=by, reason=given["reason"], now=web.now())
            note([parted.id], "parting two entries", WHOLE_ENTRY)
            return shown(parted)


def _shown(pairs: Sequence[Pair]) -> list[dict[str, Any]]:
    """The pairs with the names of their people, who can read that they were shown."""
    ids = sorted({one for pair in pairs for one in (pair.first_id, pair.second_id)})
    people = queries.find_many(web.session(), ids)
    note(ids, "looking for second entries", ("name", "number"))
    return [shown_pair(pair, people) for pair in pairs]
