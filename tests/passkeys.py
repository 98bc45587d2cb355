"""A passkey in software: registered as a browser's would be, and answering as one. Each part can be made wrong."""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import cbor2
from sqlalchemy import insert

from cardsvc import db, web
from cardsvc.access.models import Passkey as Row
from crypto import keys
from crypto.keys import SoftwareSigner

ORIGIN = "http://localhost"
PRESENT_AND_VERIFIED = 0x05


def unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def cose_key(signer: SoftwareSigner) -> bytes:
    """The COSE_Key of a credential (WebAuthn 6.5.1.1)."""
    point = keys.point(signer.public_key)
    return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: point[1:33], -3: point[33:]})


@dataclass
class SoftPasskey:
    """`counter` is what it counts; 0 for good where it does not count."""

    resident_id: UUID
    signer: SoftwareSigner = field(default_factory=SoftwareSigner.generate)
    credential_id: bytes = b"credential-of-a-test"
    counter: int = 0

    def register(self, city: web.City, *, kind: str = "resident", public_key: bytes | None = None) -> None:
        row = {
            "id": UUID(bytes=hashlib.sha256(self.credential_id).digest()[:16], version=4),
            "kind": kind,
            "subject_id": self.resident_id,
            "credential_id": self.credential_id,
            "public_key": public_key or cose_key(self.signer),
            "sign_count": self.counter,
            "name": "My phone",
            "added_at": city.clock.now(),
        }
        db.run(city.engine, lambda session: session.execute(insert(Row), row))

    def parts(self, challenge: bytes, **client: Any) -> tuple[bytes, bytes, bytes]:
        """Authenticator data, client data and the DER signature over both; `client` changes the browser's part."""
        said = {"type": "webauthn.get", "challenge": unpadded(challenge), "origin": ORIGIN, "crossOrigin": False}
        client_data = json.dumps({name: value for name, value in (said | client).items() if value is not None}).encode()
        authenticator_data = authenticator(counter=self.counter)
        return authenticator_data, client_data, self.sign(authenticator_data, client_data)

    def sign(self, authenticator_data: bytes, client_data: bytes) -> bytes:
        raw = self.signer.sign(authenticator_data + hashlib.sha256(client_data).digest())
        r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
        high = keys.ORDER - s  # as half of all authenticators' answers are
        return keys.raw_to_der(r.to_bytes(32, "big") + high.to_bytes(32, "big"))

    def answer(self, record_bytes: bytes, **client: Any) -> str:
        """What the browser sends with the form."""
        parts = self.parts(hashlib.sha256(record_bytes).digest(), **client)
        return self.wrapped(*parts)

    def wrapped(self, authenticator_data: bytes, client_data: bytes, signature: bytes) -> str:
        return json.dumps(
            {
                "id": unpadded(self.credential_id),
                "rawId": unpadded(self.credential_id),
                "type": "public-key",
                "response": {
                    "authenticatorData": unpadded(authenticator_data),
                    "clientDataJSON": unpadded(client_data),
                    "signature": unpadded(signature),
                    "userHandle": unpadded(self.resident_id.bytes),
                },
                "clientExtensionResults": {},
            }
        )


def authenticator(
    *, rp_id: str = "localhost", flags: int = PRESENT_AND_VERIFIED, counter: int = 0, after: bytes = b""
) -> bytes:
    """Authenticator data (WebAuthn 6.1)."""
    return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + counter.to_bytes(4, "big") + after
