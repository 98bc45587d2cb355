"""One small tree of certificates for the tests of certificates: root, card authority, terminal authority, a card."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from cryptography import x509

from crypto import pki
from crypto.keys import SoftwareSigner
from crypto.pki import CardSlot

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2027, 6, 1, 12, tzinfo=UTC)
CARD_ID = UUID("6f9619ff-8b86-4d01-b42d-00cf4fc964ff")
TERMINAL_ID = UUID("018f3c5e-7c00-7abc-8def-0123456789ab")


def years(count: int) -> datetime:
    return START + timedelta(days=365 * count)


@dataclass(frozen=True)
class Tree:
    """Deterministic: the same keys, numbers and times in every run."""

    root_key: SoftwareSigner = field(default_factory=lambda: SoftwareSigner.from_secret(1))
    authority_key: SoftwareSigner = field(default_factory=lambda: SoftwareSigner.from_secret(2))
    card_key: SoftwareSigner = field(default_factory=lambda: SoftwareSigner.from_secret(3))
    content_key: SoftwareSigner = field(default_factory=lambda: SoftwareSigner.from_secret(4))
    terminal_key: SoftwareSigner = field(default_factory=lambda: SoftwareSigner.from_secret(5))

    @property
    def root(self) -> x509.Certificate:
        return pki.create_root("City Root", self.root_key, serial=2**64 + 1, not_before=START, not_after=years(20))

    @property
    def authority(self) -> x509.Certificate:
        return pki.create_authority(
            "City Card Authority",
            self.authority_key.public_key,
            issuer=self.root,
            signer=self.root_key,
            serial=2**64 + 2,
            not_before=START,
            not_after=years(12),
        )

    @property
    def pinned(self) -> list[x509.Certificate]:
        return [self.root, self.authority]

    def card(self, slot: CardSlot, crl_url: str | None = None) -> x509.Certificate:
        return pki.create_card_certificate(
            slot,
            self.card_key.public_key,
            CARD_ID,
            issuer=self.authority,
            signer=self.authority_key,
            serial=2**64 + 3,
            not_before=START,
            not_after=years(5),
            crl_url=crl_url,
        )

    @property
    def terminal(self) -> x509.Certificate:
        return pki.create_terminal_certificate(
            self.terminal_key.public_key,
            TERMINAL_ID,
            issuer=self.authority,
            signer=self.authority_key,
            serial=2**64 + 4,
            not_before=START,
            not_after=years(3),
        )

    @property
    def content_signer(self) -> x509.Certificate:
        return pki.create_content_signer(
            "City Content Signer",
            self.content_key.public_key,
            issuer=self.authority,
            signer=self.authority_key,
            serial=2**64 + 5,
            not_before=START,
            not_after=years(10),
        )
