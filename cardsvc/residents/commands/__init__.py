"""The register from the command line: taking lists in, finding people, two entries of one person."""

import click

from cardsvc.residents.actions import Holdings, OnRegistered
from cardsvc.residents.commands.finding import find
from cardsvc.residents.commands.importing import make_import
from cardsvc.residents.commands.judging import judge_dedupe
from cardsvc.residents.commands.merging import make_merge, pairs, part


def make(on_registered: OnRegistered, holdings: Holdings) -> click.Group:
    """The group, with what the rooms above do with new residents and say of those who are to be merged."""

    @click.group()
    def residents() -> None:
        """Register and find residents."""

    for command in (make_import(on_registered), find, pairs, make_merge(holdings), part, judge_dedupe):
        residents.add_command(command)
    return residents


__all__ = ["make"]
