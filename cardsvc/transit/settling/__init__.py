"""Settlement with operators: what each day owes them, as a table, a file and the TIDES export."""

from cardsvc.transit.settling.queries import agencies, fare_transactions, settlement

__all__ = ["agencies", "fare_transactions", "settlement"]
