"""The register over HTTP: people, photos, who was shown whom, two entries of one person."""

from cardsvc import web
from cardsvc.residents.actions import Holdings, OnRegistered
from cardsvc.residents.api.entries import add_entries
from cardsvc.residents.api.looks import add_looks
from cardsvc.residents.api.people import add_people
from cardsvc.residents.schemas import DeviceNames


def make(on_registered: OnRegistered, holdings: Holdings, device_names: DeviceNames) -> web.ApiBlueprint:
    """The room's routes, with what the rooms above do with residents and know of them."""
    blueprint = web.ApiBlueprint("residents", __name__, url_prefix="/v1", description="The residents")
    add_people(blueprint, on_registered)
    add_entries(blueprint, holdings)
    add_looks(blueprint, device_names)
    return blueprint


__all__ = ["make"]
