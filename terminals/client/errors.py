"""What can go wrong between a terminal and the service."""


class ClientError(Exception):
    """Base of what this package raises. `code` is stable; the message is one sentence for a person."""

    code: str = "client_error"


class ServiceUnreachable(ClientError):
    """No answer came, so whether the service did what was asked is unknown. Asking again must be harmless."""

    code = "service_unreachable"

    def __init__(self, url: str) -> None:
        super().__init__(f"The city's service at {url} cannot be reached; check the network and try again.")
        self.url = url


class ServiceRefused(ClientError):
    """The service answered no. `code` is the service's own, `detail` its sentence, `status` the HTTP status."""

    code = "service_refused"

    def __init__(self, code: str, detail: str, status: int) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.status = status


class AnswerNotUnderstood(ClientError):
    code = "answer_not_understood"

    def __init__(self, what: str) -> None:
        super().__init__(f"The service's answer cannot be read ({what}); terminal and service differ in version.")
        self.what = what
