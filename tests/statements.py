"""Bank statements for tests: camt.053.001.08, as a bank would send them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"


@dataclass(frozen=True, slots=True)
class Booked:
    """A line; money into the account is positive. `extra` is XML put into the entry as it stands."""

    booked_on: date
    amount_cents: int
    reference: str = "NOTPROVIDED"
    text: str = ""
    currency: str = "PHP"
    reversal: bool = False
    status: str = "BOOK"
    extra: str = ""

    def xml(self) -> str:
        flag = "<RvslInd>true</RvslInd>" if self.reversal else ""
        remittance = f"<RmtInf><Ustrd>{self.text}</Ustrd></RmtInf>" if self.text else ""
        details = f"<Refs><EndToEndId>{self.reference}</EndToEndId></Refs>{remittance}"
        return (
            f"<Ntry>{money(self.amount_cents, self.currency)}{flag}<Sts><Cd>{self.status}</Cd></Sts>"
            f"<BookgDt><Dt>{self.booked_on}</Dt></BookgDt>{self.extra}"
            f"<NtryDtls><TxDtls>{details}</TxDtls></NtryDtls></Ntry>"
        )


def money(cents: int, currency: str = "PHP") -> str:
    """An amount and its sign, as every camt message writes them."""
    amount = f"{abs(cents) // 100}.{abs(cents) % 100:02d}"
    return f'<Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{"DBIT" if cents < 0 else "CRDT"}</CdtDbtInd>'


def balance(code: str, cents: int, day: date) -> str:
    return f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{money(cents)}<Dt><Dt>{day}</Dt></Dt></Bal>"


def camt053(
    reference: str,
    opening_cents: int,
    lines: Sequence[Booked],
    *,
    first: date,
    last: date,
    account: str = "0001234",
    closing_cents: int | None = None,
) -> bytes:
    """A file with one statement, whose closing balance follows from its lines unless told otherwise."""
    booked = sum(line.amount_cents for line in lines if line.status == "BOOK" and line.currency == "PHP")
    closing = opening_cents + booked if closing_cents is None else closing_cents
    body = (
        f"<Stmt><Id>{reference}</Id><Acct><Id><Othr><Id>{account}</Id></Othr></Id></Acct>"
        f"{balance('OPBD', opening_cents, first)}{balance('CLBD', closing, last)}"
        f"{''.join(line.xml() for line in lines)}</Stmt>"
    )
    return f'<Document xmlns="{NAMESPACE}"><BkToCstmrStmt>{body}</BkToCstmrStmt></Document>'.encode()
