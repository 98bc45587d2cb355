"""The demo city's staff, and how they sign in. Refused where CITY_ENV is production."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Member:
    username: str
    full_name: str
    roles: tuple[str, ...]

    @property
    def password(self) -> str:
        return f"demo password of {self.username}"


CLERK: Final = Member("clerk", "Liza Ocampo", ("clerk",))
OFFICER: Final = Member("officer", "Ramon Dizon", ("clerk", "card_officer"))
CASHIER: Final = Member("cashier", "Nena Salonga", ("cashier", "clerk", "card_officer"))
DRAFTER: Final = Member("drafter", "Joel Magbanua", ("benefits_officer",))
APPROVER: Final = Member("approver", "Corazon Ilagan", ("benefits_approver",))
TREASURER: Final = Member("treasurer", "Andres Villamor", ("treasurer",))
FINANCE: Final = Member("finance", "Teresita Lacson", ("finance",))
ADMIN: Final = Member("admin", "Paolo Sumulong", ("admin",))
AUDITOR: Final = Member("auditor", "Imelda Catacutan", ("auditor",))

STAFF: Final = (CLERK, OFFICER, CASHIER, DRAFTER, APPROVER, TREASURER, FINANCE, ADMIN, AUDITOR)
