"""The calls of the terminal itself: they carry the terminal's own signature, or need none."""

from uuid import UUID

from terminals.client.answers import EnrolmentAnswer, Look, StaffSession, UploadAnswer
from terminals.client.calls import Caller
from terminals.client.fields import Fields, encode_bytes
from terminals.client.staff import StaffClient
from terminals.client.transport import HttpTransport, Send

_PACKED_FROM = 1024  # bytes; a single record hardly becomes smaller


class ServiceClient:
    """Every call may raise `ServiceUnreachable` (nothing is known), `ServiceRefused`, or `AnswerNotUnderstood`."""

    def __init__(self, url: str, send: Send | None = None) -> None:
        self.url = url
        self._send = send or HttpTransport(url)
        self._caller = Caller(self._send)

    def enrol(self, code: str, public_key: bytes, proof: bytes) -> EnrolmentAnswer:
        """Ask the city to take this terminal in. `public_key` is SPKI DER, `proof` its signature. Repeatable."""
        return EnrolmentAnswer.read(
            self._caller.post(
                "/v1/devices/enrol",
                {"code": code, "public_key": encode_bytes(public_key), "proof": encode_bytes(proof)},
            )
        )

    def policy(self) -> bytes:
        """The signed policy, unverified."""
        return self._caller.get("/v1/policy")

    def deny_list(self) -> bytes:
        """The whole signed deny list, unverified."""
        return self._caller.get("/v1/deny-list")

    def deny_delta(self, base_number: int) -> bytes:
        """What changed since that list, signed, unverified. `ServiceRefused` 404: take the whole list."""
        return self._caller.get(f"/v1/deny-list/deltas/{base_number}")

    def city_keys(self) -> str:
        """The city's public keys, as text. Whoever pins them trusts the connection they came by."""
        return self._caller.get("/v1/keys").decode()

    def upload(self, batch: bytes) -> UploadAnswer:
        """Send a signed batch. Sending it again is harmless and brings the same answer."""
        post = self._caller.post_compressed_cbor if len(batch) >= _PACKED_FROM else self._caller.post_cbor
        return UploadAnswer.read(post("/v1/transactions", batch))

    def look(self, query: bytes) -> Look:
        """Ask a signed balance query."""
        return Look.read(self._caller.post_cbor("/v1/queries", query))

    def receipt(self, record_id: UUID) -> bytes:
        return self._caller.get(f"/v1/receipts/{record_id}")

    def sign_in(self, username: str, password: str) -> StaffClient:
        """Sign a member of staff in; the session ends with `StaffClient.sign_out`, or after a time of the service's."""
        answer = self._caller.post("/v1/sign-in", {"username": username, "password": password})
        return self._signed_in(answer, username)

    def sign_in_challenge(self) -> tuple[bytes, bytes]:
        """A nonce for a staff member's card to sign, and the binding to send back with it."""
        answer = self._caller.post("/v1/sign-in/challenges", {})
        return answer.binary("nonce"), answer.binary("binding")

    def sign_in_with_card(self, binding: bytes, token: str) -> StaffClient:
        """Sign in whoever's card made the token."""
        answer = self._caller.post("/v1/sign-in/card", {"binding": encode_bytes(binding), "token": token})
        return self._signed_in(answer, answer.text("username"))

    def _signed_in(self, answer: Fields, username: str) -> StaffClient:
        session = StaffSession(answer.text("token"), answer.uuid("staff_id"), username, answer.texts("roles"))
        return StaffClient(Caller(self._send, session.token), session)
