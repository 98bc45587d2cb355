"""One of the service's processes without its web server: takes signed batches as they come, tells when each is durable.

`python -m bench.taker DATABASE_URL HOME`: on each line of its input is the name of a file with a batch, on each line
of its output how many items were accepted.
"""

import gc
import sys
from pathlib import Path

from bench.city import settings
from cardsvc import app, transactions
from crypto import verifying


def main(url: str, home: str) -> None:
    city = app.build_city(settings(url, Path(home)))
    desk = transactions.Desk(city.handlers.registry, city.vault, city.random_bytes, verifying.chosen().verifier)
    taking = transactions.Taking(city.engine, desk)
    gc.collect()
    gc.freeze()  # as the service does
    for line in sys.stdin:
        raw = Path(line.rstrip("\n")).read_bytes()
        answer = taking.commit(raw, city.clock.now())
        print(sum(result.outcome == "accepted" for result in answer.results), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
