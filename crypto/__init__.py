"""Signed records and their primitives: bytes in, bytes out. No clock, database, network or card reader."""
