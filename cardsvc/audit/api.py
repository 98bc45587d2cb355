"""The log in public: the layout of C2SP tlog-tiles below /log/, and the same proofs in JSON for those without a client.

Tiles never change once they are published, so any cache may keep them for ever; the checkpoint may not be kept.
"""

import re
from typing import Any

from flask import Response
from flask.views import MethodView

from cardsvc import web
from cardsvc.audit import queries
from cardsvc.audit.actions import outside
from cardsvc.audit.rules import NotInLog
from cardsvc.audit.schemas import ConsistencyQuery, ConsistencySchema, InclusionQuery, InclusionSchema
from crypto import tlog

blueprint = web.ApiBlueprint("log", __name__, url_prefix="/log", description="The transparency log")

_NOTE = "text/plain; charset=utf-8"
_FOR_EVER = "public, max-age=31536000, immutable"
_INDEX = re.compile(r"(?:x[0-9]{3}/){0,5}[0-9]{3}(?:\.p/[1-9][0-9]{0,2})?", re.ASCII)


@blueprint.route("/checkpoint")
class Head(MethodView):
    @web.public
    @blueprint.response(200, {"type": "string"}, content_type="text/plain")
    @blueprint.fails(404)
    def get(self) -> Response:
        """The log's newest signed head (C2SP tlog-checkpoint), with the cosignatures that there are already."""
        head = queries.newest(web.session())
        if head is None:
            raise NotInLog("no checkpoint is published yet")
        return _answer(queries.with_cosignatures(web.session(), head).encode(), _NOTE, "no-cache")


@blueprint.route("/checkpoint/witnessed")
class WitnessedHead(MethodView):
    @web.public
    @blueprint.response(200, {"type": "string"}, content_type="text/plain")
    @blueprint.fails(404)
    def get(self) -> Response:
        """The newest head that enough of the city's witnesses have signed, with their lines."""
        policy = outside(web.city().settings).witnesses
        note = None if policy is None else queries.newest_witnessed(web.session(), policy)
        if note is None:
            raise NotInLog("no checkpoint is signed by enough witnesses yet")
        return _answer(note.encode(), _NOTE, "no-cache")


@blueprint.route("/tile/<string:level>/<path:place>")
class Tiles(MethodView):
    @web.public
    @blueprint.response(200, {"type": "string", "format": "binary"}, content_type="application/octet-stream")
    def get(self, level: str, place: str) -> Response:
        """A tile of hashes, or with the level `entries` a bundle of leaves (C2SP tlog-tiles), partial ones included."""
        content = queries.tile(web.session(), read_path(level, place))
        return _answer(content, "application/octet-stream", _FOR_EVER)


@blueprint.route("/proof/inclusion")
class Inclusion(MethodView):
    @web.public
    @blueprint.arguments(InclusionQuery, location="query")
    @blueprint.response(200, InclusionSchema)
    @blueprint.fails(404)
    def get(self, asked: dict[str, int]) -> dict[str, Any]:
        """That a leaf is in the published tree of a size."""
        session = web.session()
        _published(asked["tree_size"])
        proof = queries.inclusion(session, asked["leaf_index"], asked["tree_size"])
        return {**asked, "leaf_hash": queries.leaf(session, asked["leaf_index"]).leaf_hash, "proof": proof}


@blueprint.route("/proof/consistency")
class Consistency(MethodView):
    @web.public
    @blueprint.arguments(ConsistencyQuery, location="query")
    @blueprint.response(200, ConsistencySchema)
    @blueprint.fails(404)
    def get(self, asked: dict[str, int]) -> dict[str, Any]:
        """That one published tree begins with an older one."""
        _published(asked["new_size"])
        return {**asked, "proof": queries.consistency(web.session(), asked["old_size"], asked["new_size"])}


def read_path(level: str, place: str) -> tlog.Tile:
    """The tile that is published under this path and no other. Raises: NotInLog."""
    unknown = NotInLog(f"no tile is called {level}/{place}")
    if not _INDEX.fullmatch(place) or not (level == "entries" or re.fullmatch(r"[0-9]{1,2}", level, re.ASCII)):
        raise unknown
    digits, _, width = place.partition(".p/")
    tile = tlog.Tile(
        level=tlog.ENTRIES if level == "entries" else int(level),
        index=int(digits.replace("x", "").replace("/", "")),
        width=int(width or tlog.TILE_WIDTH),
    )
    if tile.path() != f"tile/{level}/{place}" or tile.width > tlog.TILE_WIDTH:  # one path a tile: no spare zeros
        raise unknown
    return tile


def _published(size: int) -> None:
    """What is not under a signed head yet is nobody's business."""
    head = queries.newest(web.session())
    if head is None or size > head.tree_size:
        raise NotInLog(f"no tree of {size} leaves is published")


def _answer(content: bytes, content_type: str, caching: str) -> Response:
    return Response(content, content_type=content_type, headers={"Cache-Control": caching})
