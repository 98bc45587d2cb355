"""The demo city and the story: sees service and terminals, and both only as their users do."""
