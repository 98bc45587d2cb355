"""One HTTP exchange. `HttpTransport` is the real one; a test passes its own `Send` around the service in process."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import urllib3

from terminals.client.errors import ServiceUnreachable

_CONNECT_SECONDS = 3.0
_READ_SECONDS = 15.0
_ANSWER_BYTES_MAX = 32 * 1024 * 1024  # receipts of a whole batch fit many times


@dataclass(frozen=True, slots=True)
class Reply:
    """`body` is the whole answer; `status` any HTTP status, an error status is not an exception here."""

    status: int
    body: bytes


Send = Callable[[str, str, Mapping[str, str], bytes | None], Reply]
"""(method, path, headers, body) -> Reply. Raises ServiceUnreachable when no whole answer came."""


class HttpTransport:
    """Keeps connections open. Only GET is tried twice: it changes nothing, and an idle connection may be stale."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS),
            retries=urllib3.Retry(total=1, redirect=0, status=0, other=0, allowed_methods={"GET"}),
            maxsize=4,
        )

    def __call__(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        try:
            response = self._pool.request(
                method, self._url + path, headers=dict(headers), body=body, redirect=False, preload_content=False
            )
            try:
                data = response.read(_ANSWER_BYTES_MAX + 1)
            finally:
                response.release_conn()
        except urllib3.exceptions.HTTPError as error:
            raise ServiceUnreachable(self._url) from error
        if len(data) > _ANSWER_BYTES_MAX:
            raise ServiceUnreachable(self._url)
        return Reply(response.status, data)
