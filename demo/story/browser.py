"""The resident's browser: cookies, forms, redirects; nothing else of the service is used."""

import re
import urllib.request
from http.cookiejar import CookieJar
from typing import Final
from urllib.error import HTTPError
from urllib.parse import urlencode

from demo.office import OfficeError
from demo.story.service import Wire
from terminals.client import ServiceUnreachable

_TOKEN: Final = re.compile(r'name="csrf_token" value="([^"]+)"')
_SECONDS: Final = 15


class Browser:
    """Keeps its cookies. `wire` may lose an answer, as for everybody else."""

    def __init__(self, url: str, wire: Wire) -> None:
        self._url = url
        self._wire = wire
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def get(self, path: str) -> str:
        return self._open("GET", path, None)

    def submit(self, path: str, **fields: str) -> str:
        """Open the form at `path`, fill it in, send it; the page that comes in the end."""
        token = _TOKEN.search(self.get(path))
        sent = {**fields, **({"csrf_token": token[1]} if token else {})}
        return self._open("POST", path, urlencode(sent).encode())

    def _open(self, method: str, path: str, body: bytes | None) -> str:
        request = urllib.request.Request(self._url + path, data=body, method=method)  # noqa: S310 - our own http URL
        try:
            with self._opener.open(request, timeout=_SECONDS) as answer:
                text = str(answer.read().decode())
        except HTTPError as error:
            raise OfficeError(f"{method} {path}: {error.code}", status=error.code) from error
        except OSError as error:  # URLError is one
            raise ServiceUnreachable(self._url) from error
        self._wire.arrived(method, path)
        return text
