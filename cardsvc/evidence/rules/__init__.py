"""The evidence without a database, a vault or a clock: how it is written down, and how it is judged."""
