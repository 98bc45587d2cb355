"""Every command of the city: its name, where it lives, and one line for a stranger. Nothing here is imported early."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """`target` is "module:attribute"; the attribute is the command, or a mapping that holds it under `name`."""

    name: str
    target: str
    help: str


@dataclass(frozen=True, slots=True)
class Section:
    heading: str
    entries: tuple[Entry, ...]


SERVICE = "cardsvc.app:commands"  # wiring.py in it is the only file that knows every room

SECTIONS = (
    Section(
        "Start here",
        (
            Entry(
                "up",
                "demo.commands:up",
                "Start the demo city on this machine; Ctrl-C stops all of it.",
            ),
            Entry(
                "story",
                "demo.commands:story",
                "Play one resident's life, from a card to a line in the books.",
            ),
            Entry("test", "cli.script:test", "Install what the tests need and run them; arguments: pytest's."),
            Entry("demo", "demo.commands:demo", "Load or inspect the demo city's data."),
        ),
    ),
    Section(
        "At the counter and the gate",
        (
            Entry("card", "terminals.card.commands:card", "Read and check the card in the reader."),
            Entry("agent", "terminals.agent.commands:agent", "Serve a terminal's pages on this machine."),
            Entry("counter", "terminals.counter.commands:counter", "Issue cards, verify cards, take cash."),
            Entry("kiosk", "terminals.kiosk.commands:kiosk", "What residents do themselves: balance, claim, pay."),
            Entry("validator", "terminals.validator.commands:validator", "Take taps, with or without a network."),
        ),
    ),
    Section(
        "The service",
        (
            Entry("serve", SERVICE, "Run the web service."),
            Entry("worker", SERVICE, "Run the jobs that wait in the database."),
            Entry("init", SERVICE, "Make the vault, the schema and the base accounts; repeatable."),
            Entry("migrate", SERVICE, "Bring the database to the newest schema."),
            Entry("staff", SERVICE, "Staff accounts and their roles."),
            Entry("devices", SERVICE, "Invite terminals; see whether their records are whole."),
            Entry("disputes", SERVICE, "Records whose time finance decides about."),
            Entry("residents", SERVICE, "Register and find residents."),
            Entry("cards", SERVICE, "The city's cards and their states."),
            Entry("transit", SERVICE, "Import a transit network and its fares."),
            Entry("finance", SERVICE, "Top-up references, and bank transfers that wait."),
            Entry("ledger", SERVICE, "The books: trial balance, export."),
            Entry("vault", SERVICE, "The city's own keys: show, check and change them."),
            Entry("ceremony", SERVICE, "Make the city's keys with witnesses; verify a transcript."),
        ),
    ),
    Section(
        "Proof",
        (
            Entry("receipt", "crypto.commands:receipt", "Verify a receipt offline, with only the city's public keys."),
            Entry("pki", "crypto.commands:pki", "Check certificate paths and revocation lists offline."),
            Entry("log", SERVICE, "Witnesses of the log; what was lost with a database."),
            Entry("audit", SERVICE, "Check the books and the transparency log."),
            Entry("bench", "bench.commands:bench", "Measure how fast it is, as ratios to this machine's own limits."),
        ),
    ),
    Section(
        "Configuration",
        (Entry("config", SERVICE, "Show the settings in force, and where each comes from."),),
    ),
)

ENTRIES = {entry.name: entry for section in SECTIONS for entry in section.entries}
