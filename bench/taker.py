"""One of the service's processes without its web server: takes signed batches as they come, tells when each is durable.

`python -m bench.taker DATABASE_URL HOME [plain]`: on each line of its input is the name of a file with a batch, on each
line of its output how many items were accepted. With `plain` a tap is only posted, and no journey is priced.
"""

import sys
from pathlib import Path

from bench.city import settings
from bench.plain import PlainTapping
from cardsvc import app, transactions
from crypto import verifying
from crypto.wire.kinds import Kind


def main(url: str, home: str, how: str = "") -> None:
    city = app.build_city(settings(url, Path(home)))
    plain: transactions.Registry = {Kind.TAP: PlainTapping()} if how == "plain" else {}
    registry = {**city.handlers.registry, **plain}
    desk = transactions.Desk(registry, city.vault, city.random_bytes, verifying.chosen().verifier)
    taking = transactions.Taking(city.engine, desk)
    app.settle_memory()  # as the service does
    for line in sys.stdin:
        raw = Path(line.rstrip("\n")).read_bytes()
        answer = taking.commit(raw, city.clock.now())
        print(sum(result.outcome == "accepted" for result in answer.results), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
