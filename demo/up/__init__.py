"""`./city up`: the whole city on this machine, until Ctrl-C."""

from demo.up.run import Running, running, watch

__all__ = ["Running", "running", "watch"]
