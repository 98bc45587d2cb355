"""What anybody can check at the command line with nothing but files: receipts and certificates."""

from crypto.commands.certificates import pki
from crypto.commands.receipts import receipt

__all__ = ["pki", "receipt"]
