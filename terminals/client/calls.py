"""How every call is made: a request out, an answer in, a refusal as `ServiceRefused`."""

import gzip
import json
from collections.abc import Mapping

from terminals.client.errors import AnswerNotUnderstood, ServiceRefused
from terminals.client.fields import Fields
from terminals.client.transport import Send

_OK_MIN, _OK_MAX = 200, 299
_NOT_READ = frozenset({400, 415, 422})  # also what a service answers that knows of no compression
JsonValue = str | int | bool | None | Mapping[str, "JsonValue"] | list["JsonValue"]


class Caller:
    """One service, one identity at most: `token` is a staff member's bearer token, None for the terminal itself."""

    def __init__(self, send: Send, token: str | None = None) -> None:
        self._send = send
        self._token = token

    def get(self, path: str) -> bytes:
        return self._call("GET", path, None, None)

    def get_json(self, path: str) -> Fields:
        return Fields.read(self.get(path))

    def post(self, path: str, content: Mapping[str, JsonValue]) -> Fields:
        return Fields.read(self._call("POST", path, "application/json", json.dumps(content).encode()))

    def post_cbor(self, path: str, content: bytes) -> Fields:
        return Fields.read(self._call("POST", path, "application/cbor", content))

    def post_compressed_cbor(self, path: str, content: bytes) -> Fields:
        """As `post_cbor`, with fewer bytes on the way; once more as it is where whoever answers reads none of that."""
        try:
            packed = gzip.compress(content, mtime=0)
            return Fields.read(self._call("POST", path, "application/cbor", packed, coding="gzip"))
        except ServiceRefused as refused:
            if refused.status not in _NOT_READ:
                raise
            return self.post_cbor(path, content)

    def delete(self, path: str) -> None:
        self._call("DELETE", path, None, None)

    def _call(
        self, method: str, path: str, media_type: str | None, body: bytes | None, coding: str | None = None
    ) -> bytes:
        headers = {"Accept": "application/json, application/problem+json, */*;q=0.5"}
        if media_type:
            headers["Content-Type"] = media_type
        if coding:
            headers["Content-Encoding"] = coding
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        reply = self._send(method, path, headers, body)
        if not _OK_MIN <= reply.status <= _OK_MAX:
            raise _refusal(reply.status, reply.body)
        return reply.body


def _refusal(status: int, body: bytes) -> ServiceRefused:
    """A problem document (RFC 9457) as an error; a proxy's page, which is none, by its status alone."""
    try:
        problem = Fields.read(body)
        code = problem.optional_text("code") or "service_refused"
        detail = problem.optional_text("detail") or problem.optional_text("title")
    except AnswerNotUnderstood:
        code, detail = "service_refused", None
    return ServiceRefused(code, detail or f"The service answered with status {status}; try again later.", status)
