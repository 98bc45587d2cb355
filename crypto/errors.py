"""What can be wrong with bytes that somebody sent. One class per failure; `code` is stable and may be stored."""

from typing import ClassVar


class CryptoError(Exception):
    """Something did not verify or could not be read; the message is one sentence for a person."""

    code: ClassVar[str] = "crypto_error"


class MalformedMessage(CryptoError):
    """The bytes are not the one allowed encoding of an allowed value."""

    code = "malformed"


class UnknownVersion(CryptoError):
    """The bytes name a domain or version that this program does not speak; it is refused, never guessed."""

    code = "unknown_version"


class InvalidSignature(CryptoError):
    """The signature is not in the stored form, or was not made by this key over these bytes."""

    code = "invalid_signature"


class InvalidSeal(CryptoError):
    """The sealed bytes were not made for this key and this request, or were changed."""

    code = "invalid_seal"


class UntrustedCertificate(CryptoError):
    """The certificate does not lead to a pinned authority, or is not good for this purpose at this time."""

    code = "untrusted_certificate"


class TooMuchWork(UntrustedCertificate):
    """Deciding would cost more than the limits allow; certificates can be made so that it costs for ever."""

    code = "too_much_work"


class InvalidProof(CryptoError):
    """The log proof, checkpoint or tree does not hold."""

    code = "invalid_proof"
