"""What the log's proofs look like in JSON."""

from marshmallow import fields, validate

from cardsvc import web

_SIZE_MAX = 2**63 - 1


def _size(least: int) -> fields.Integer:
    return fields.Integer(required=True, validate=validate.Range(least, _SIZE_MAX))


class InclusionQuery(web.ApiSchema):
    leaf_index = _size(0)
    tree_size = _size(1)


class InclusionSchema(InclusionQuery):
    leaf_hash = web.Bytes(required=True)
    proof = fields.List(web.Bytes(), required=True, metadata={"description": "RFC 9162 2.1.3.1, from the leaf upwards"})


class ConsistencyQuery(web.ApiSchema):
    old_size = _size(1)
    new_size = _size(1)


class ConsistencySchema(ConsistencyQuery):
    proof = fields.List(web.Bytes(), required=True, metadata={"description": "RFC 9162 2.1.4.1"})
