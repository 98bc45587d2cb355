"""`./city up`: the whole city on this machine, until Ctrl-C."""

from demo.up.run import NothingWasStarted, Running, running, watch

__all__ = ["NothingWasStarted", "Running", "running", "watch"]
