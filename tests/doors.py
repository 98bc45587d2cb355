"""A room's door is its package: nobody reaches past it, except the room itself and whoever wires rooms together.

Run as a script in a checkout's root: prints one line per trespass, and exits 1 when there is one.
"""

import sys

import grimp

# These see every room by their nature: the one wires them, the other compares their tables with the schema.
WIRING = {"cardsvc.app.wiring", "cardsvc.migrations.env"}

# Side doors. Each would drag into its room's door what the room's other users must not load.
SIDE_DOORS = {
    "cardsvc.access.guard",  # the sign-in decorators: Flask, for api and pages only
    "terminals.station.console",  # what terminals' commands share: click, for commands only
    "terminals.card.pcsc",  # pyscard; who may import it is a contract of its own
}


def room(module: str) -> str:
    return ".".join(module.split(".")[:2])


def trespasses() -> list[str]:
    graph = grimp.build_graph("cardsvc", "terminals", "demo", "bench", "cli", "crypto", cache_dir=None)
    rooms = {
        child
        for parent in ("cardsvc", "terminals")
        for child in graph.find_children(parent)
        if graph.find_children(child)
    }
    return sorted(
        f"{importer} -> {imported}"
        for importer in graph.modules - WIRING
        for imported in graph.find_modules_directly_imported_by(importer) - SIDE_DOORS
        if room(imported) in rooms and imported not in rooms and room(importer) != room(imported)
    )


if __name__ == "__main__":
    found = trespasses()
    for line in found:
        sys.stdout.write(f"past the door, import the room instead: {line}\n")
    sys.exit(bool(found))
