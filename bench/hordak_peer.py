"""Runs in the peer's own environment, as a process: answers each line of work with the rate it reached.

    python hordak_peer.py SOCKET_DIR DATABASE ACCOUNTS

Its own way in bulk (`bulk_create` of transactions, then of their legs), in one durable transaction a batch; its
triggers and checks stay on.
"""

import json
import random
import sys
import time
from typing import Any


def prepare(socket_dir: str, database: str) -> None:
    import django
    from django.conf import settings

    settings.configure(
        SECRET_KEY="not a secret",
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "mptt", "hordak"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": database,
                "USER": "cardsvc",
                "HOST": socket_dir,
            }
        },
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        USE_TZ=True,
        HORDAK_DECIMAL_PLACES=2,
        HORDAK_MAX_DIGITS=13,
        DEFAULT_CURRENCY="PHP",
        CURRENCIES=["PHP"],
        HORDAK_CURRENCIES=["PHP"],
    )
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def main() -> None:
    socket_dir, database, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    prepare(socket_dir, database)
    from hordak.models import Account

    accounts = [
        Account.objects.create(name=f"a{number}", code=str(number), type="LI", currencies=["PHP"])
        for number in range(count)
    ]
    answer({"accounts": len(accounts)})
    chance = random.Random(2026)
    for line in sys.stdin:
        work = json.loads(line)
        pairs = [[chance.sample(accounts, 2) for _ in range(work["size"])] for _ in range(work["batches"])]
        started = time.perf_counter()
        for batch in pairs:
            post(batch)
        answer({"rate": work["batches"] * work["size"] / (time.perf_counter() - started)})


def post(pairs: list[list[Any]]) -> None:
    from django.db import transaction
    from hordak.models import Leg, Transaction

    with transaction.atomic():
        made = Transaction.objects.bulk_create([Transaction(description="transit.fare.1") for _ in pairs])
        legs = []
        for one, (debit, credit) in zip(made, pairs, strict=True):
            legs.append(leg(Leg, one, debit, debit=True))
            legs.append(leg(Leg, one, credit, debit=False))
        Leg.objects.bulk_create(legs)


def leg(kind: Any, made: Any, account: Any, *, debit: bool) -> Any:
    from moneyed import Money

    amount = Money("13.00", "PHP")
    return kind(transaction=made, account=account, debit=amount if debit else None, credit=None if debit else amount)


def answer(value: dict[str, float]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
