"""The city's service: rooms of one idea each, entered by their door (`from cardsvc import ledger`)."""
