"""The city's evidence: all that proves its books, in files that need no database and no secret to be verified."""
