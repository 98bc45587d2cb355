"""The demo city: made-up people, bills and history, the same every time from one seed."""
