"""What the city makes for a card: its management key, its certificates and its CHUID."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from cryptography.x509 import Certificate, SubjectKeyIdentifier

from cardsvc.cards.actions.moves import RandomBytes
from cardsvc.cards.rules import CLOCK_LEEWAY, KEY_BYTES, TRIPLE_DES, ProvenKey, not_after
from cardsvc.vault import Vault
from crypto import pki
from crypto.keys import Signer
from crypto.pki import CardSlot

_SERIAL_BYTES = 16


@dataclass(frozen=True, slots=True)
class Press:
    """The city's certificates and keys that make cards, taken out of the vault once for any number of cards."""

    authority: Certificate
    authority_signer: Signer
    content: Certificate
    content_signer: Signer

    @classmethod
    def of(cls, vault: Vault) -> "Press":
        now = vault.snapshot()  # each certificate with its own key, even while an authority is changed
        return cls(now.certificate("card-ca"), now.signer("card-ca"), now.certificate("content"), now.signer("content"))

    @property
    def authority_id(self) -> bytes:
        """The key identifier by which certificates name who issued them (RFC 5280 4.2.1.1)."""
        own = self.authority.extensions.get_extension_for_class(SubjectKeyIdentifier)
        return own.value.key_identifier

    def certificates(
        self,
        card_id: UUID,
        proven: Sequence[ProvenKey],
        expires_on: date,
        *,
        now: datetime,
        random_bytes: RandomBytes,
    ) -> dict[CardSlot, bytes]:
        """A certificate (DER) for each key, good from now, with some leeway for slow clocks, to the card's last day."""
        not_before = max((now - CLOCK_LEEWAY).replace(microsecond=0), self.authority.not_valid_before_utc)
        return {
            key.slot: pki.to_der(
                pki.create_card_certificate(
                    key.slot,
                    key.public_key,
                    card_id,
                    issuer=self.authority,
                    signer=self.authority_signer,
                    serial=_serial(random_bytes),
                    not_before=not_before,
                    not_after=not_after(expires_on),
                )
            )
            for key in proven
        }

    def chuid(self, card_id: UUID, expires_on: date) -> bytes:
        """The content of the CHUID object, signed by the city's content signer."""
        return pki.build_chuid(card_id, expires_on, certificate=self.content, signer=self.content_signer)


def management_key(vault: Vault, card_id: UUID, algorithm: int) -> bytes:
    """The card's own 9B key. It is never stored: this vault alone can compute it again."""
    key = vault.derive("card-management", card_id.bytes, KEY_BYTES[algorithm])
    return _with_odd_parity(key) if algorithm == TRIPLE_DES else key


def _with_odd_parity(key: bytes) -> bytes:
    """The last bit of each byte of a DES key is its parity (SP 800-67 3.1); some cards look at it."""
    return bytes(byte & 0xFE | (byte >> 1).bit_count() + 1 & 1 for byte in key)


def _serial(random_bytes: RandomBytes) -> int:
    """127 random bits with a first one, so that the length is always the same (RFC 5280 4.1.2.2: positive)."""
    return int.from_bytes(random_bytes(_SERIAL_BYTES), "big") >> 1 | 1 << 8 * _SERIAL_BYTES - 2
