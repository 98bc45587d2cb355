"""`./city ceremony`: step by step, each step shown and confirmed, and a signed transcript at the end."""

import json
from collections.abc import Callable
from pathlib import Path

import click
from cryptography import x509

from cardsvc import vault as vaults
from cardsvc.ceremony import actions
from cardsvc.ceremony.actions import Custody, Tools
from cardsvc.ceremony.commands.asking import Answers, Asker, Keyboard
from cardsvc.ceremony.rules import (
    PART_LENGTH_MIN,
    BadTranscript,
    NotConfirmed,
    People,
    Step,
    Transcript,
    check_parts,
    fingerprint,
)
from cardsvc.settings import DEMO_PASSPHRASE
from cardsvc.vault import KeyName, Vault
from crypto.keys import P256Signer

_AUTHORITIES = click.Choice(["root", "card-ca", "terminal-ca"])
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_FILE = click.Path(path_type=Path, dir_okay=False)


class Walk:
    """One ceremony under way: who is there, what was confirmed. Nothing is made before everybody agreed to it."""

    def __init__(self, tools: Tools, asker: Asker, root_file: Path) -> None:
        self.tools = tools
        self.asker = asker
        self.root_file = root_file
        self.steps: list[Step] = []
        self.keys_made = False
        self.people: People

    def say(self, text: str = "") -> None:
        click.echo(text, err=True)

    def head(self, title: str) -> None:
        self.say(f"\n{len(self.steps) + 1}. {title}")

    def gather(self) -> None:
        self.head("Who is here")
        self.say("  Two custodians are needed: two people, of whom neither alone can use the root key.")
        people = People(
            self.asker.ask("operator", "Operator, who types"),
            (
                self.asker.ask("custodians.0", "First custodian"),
                self.asker.ask("custodians.1", "Second custodian"),
            ),
            self.asker.some("witnesses", "Witness (empty: no more)"),
        )
        people.check()
        self.people = people
        self.confirm("The people named above are present")

    def confirm(self, text: str) -> None:
        """Both custodians say yes, or the ceremony ends."""
        for who in self.people.custodians:
            if not self.asker.confirm(who):
                raise NotConfirmed(text, keys_made=self.keys_made)
        self.steps.append(Step(self.tools.clock.now(), text, self.people.custodians))

    def custody(self, *, new: bool) -> Custody:
        """The two parts, each typed by its custodian while the other looks away."""
        self.head("The root key's passphrase, in two parts" if new else "Opening the root key")
        if new:
            self.say(f"  Each custodian invents a part of {PART_LENGTH_MIN} characters or more and tells it to nobody.")
            self.say("  If one part is lost, so is the root key: each custodian keeps a sealed copy of their own part.")
        parts = (self.part(0, new=new), self.part(1, new=new))
        if new:
            check_parts(parts)
        self.confirm("Each custodian entered their own part of the passphrase, unseen by the other")
        return Custody(self.root_file, parts)

    def part(self, place: int, *, new: bool) -> str:
        """What this custodian typed; a part that is too short is asked for again."""
        question = f"{self.people.custodians[place]}, your part (not shown)"
        text = self.asker.secret(f"parts.{place}", question, twice=new)
        while new and len(text) < PART_LENGTH_MIN and not self.asker.is_rehearsal:
            self.say(f"  That has fewer than {PART_LENGTH_MIN} characters.")
            text = self.asker.secret(f"parts.{place}", question, twice=new)
        return text

    def make_root(self) -> P256Signer:
        custody = self.custody(new=True)
        signer = actions.make_root(
            custody, cost=self.tools.settings.password_cost, random_bytes=self.tools.random_bytes
        )
        self.keys_made = True
        self.say(f"  The root key is made, and sealed in {self.root_file}; it was opened again from there.")
        return signer

    def show_keys(self, vault: Vault) -> None:
        self.head("The keys")
        count = vaults.check(vault)
        for one in actions.listed(vault):
            self.say(f"  {one.name:<12} generation {one.generation}, {one.stage:<9} public key {one.key_hash[:16]}...")
        self.say(f"  {count} keys: each signs, and every certificate stands under its issuer's.")
        self.confirm(f"{count} keys were made or found whole: each signs, each certificate stands under its issuer")

    def show_root(self, root: x509.Certificate) -> None:
        self.head("The root certificate's fingerprint")
        self.say(f"  {fingerprint(root)}")
        self.say("  Read it aloud, and write it down by hand: whoever trusts this city later compares with it.")
        self.confirm("The root certificate's fingerprint was read aloud and written down")

    def transcript(self, kind: str, vault: Vault, root: x509.Certificate, signer: P256Signer) -> str:
        return Transcript.write(
            kind=f"rehearsal with a file of answers, no ceremony; {kind}" if self.asker.is_rehearsal else kind,
            city_name=vault.city_name,
            log_origin=vault.log_origin,
            place=vault.store.place,
            people=self.people,
            steps=self.steps,
            listed=actions.listed(vault),
            root=root,
            signer=signer,
        )


def _make(walk: Walk) -> tuple[str, x509.Certificate]:
    """The first keys of a city. If we stop after the keys are made, the folder and the root file are taken away, and
    the ceremony is held anew: nothing was signed with them yet.
    """
    settings = walk.tools.settings
    walk.say(f"A key ceremony for {settings.city_name}: all of its keys are made now, for the first time.")
    if walk.root_file.exists():
        raise actions.RootFileExists(walk.root_file)
    walk.gather()
    where = settings.vault.module or settings.vault_folder
    walk.head("What is made")
    walk.say(f"  City:       {settings.city_name}   (on every certificate; cannot change)")
    walk.say(f"  Log:        {settings.log_origin}   (on every checkpoint; cannot change)")
    walk.say(f"  Keys:       {where}")
    if settings.vault.module is None:
        known = "; the demo's, known to everybody" if settings.vault_passphrase == DEMO_PASSPHRASE else ""
        walk.say(f"              (encrypted under CITY_VAULT_PASSPHRASE{known})")
    walk.say(f"  Root key:   {walk.root_file}   (sealed; afterwards kept off this machine)")
    walk.say(f"  This clock: {walk.tools.clock.now():%Y-%m-%d %H:%M:%S} UTC")
    walk.confirm(f"City, log, places and clock are right: keys in {where}, root key in {walk.root_file}")
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    signer = walk.make_root()
    at = walk.tools.clock.now()
    vault = vaults.create_by(settings, at=at, random_bytes=walk.tools.random_bytes, root=signer)
    walk.show_keys(vault)
    root = vault.certificate("root")
    walk.show_root(root)
    return walk.transcript("all keys of a city were made", vault, root, signer), root


def _rotate(walk: Walk, vault: Vault, name: KeyName) -> tuple[str, x509.Certificate]:
    """A new authority, or a new root and with it all authorities; announced, not yet signing."""
    names = ", ".join(vaults.with_followers(name))
    walk.say(f"A key ceremony for {vault.city_name}: new keys for {names}.")
    apart = vault.register.current(KeyName.ROOT).apart
    if name is KeyName.ROOT and walk.root_file.exists():
        raise actions.RootFileExists(walk.root_file)
    walk.gather()
    walk.head("What is made")
    walk.say(f"  New keys:   {names}; the present ones go on signing until ./city vault activate {name}")
    walk.say(f"  This clock: {walk.tools.clock.now():%Y-%m-%d %H:%M:%S} UTC")
    walk.confirm(f"New keys are to be made for {names}")
    if name is KeyName.ROOT:
        signer = walk.make_root()
    else:
        signer = actions.current_root(vault, walk.custody(new=False) if apart else None)
    given = signer if apart or name is KeyName.ROOT else None
    vaults.announce(vault, name, at=walk.tools.clock.now(), random_bytes=walk.tools.random_bytes, root=given)
    walk.keys_made = True
    walk.show_keys(vault)
    newest = vault.register.keys[KeyName.ROOT][-1].number
    root = vault.certificate("root", newest if name is KeyName.ROOT else None)
    walk.show_root(root)
    walk.say(
        f"\nThe new keys sign after ./city vault activate {name}, from {vaults.ready_at(vault, name):%Y-%m-%d} on."
    )
    return walk.transcript(f"new keys were made for {names}", vault, root, signer), root


@click.group(invoke_without_command=True)
@click.option("--rotate", "name", type=_AUTHORITIES, help="Make a new authority, or a new root with all authorities.")
@click.option("--root-file", type=_FILE, help="Where the sealed root key is, or will be (CITY_HOME/root.sealed).")
@click.option("--transcript", "transcript_file", type=_FILE, help="Where to write the transcript, beside stdout.")
@click.option("--answers", type=_FILE, help="Answers in a JSON file, for a rehearsal; refused in production.")
@_JSON
@click.pass_context
def ceremony(
    context: click.Context,
    name: str | None,
    root_file: Path | None,
    transcript_file: Path | None,
    answers: Path | None,
    as_json: bool,
) -> None:
    """Make or change a city's keys with witnesses, step by step; prints a signed transcript.

    Two custodians type one part each of the passphrase that seals the root key. That key is not kept in the vault, so a
    service that is broken into cannot make itself a new authority. Run it before ./city init, on a machine you trust.

    Rehearse it first in another CITY_HOME. The file of --answers: {"operator": "..", "custodians": ["..", ".."],
    "witnesses": [".."], "parts": ["..", ".."]}
    """
    if context.invoked_subcommand is not None:
        return
    tools: Tools = context.obj()
    if answers is not None and tools.settings.is_production:
        raise click.UsageError("--answers is for rehearsals: in production the custodians type their parts themselves.")
    asker = Keyboard() if answers is None else Answers(answers)
    walk = Walk(tools, asker, root_file or tools.settings.home / "root.sealed")
    if name is None:
        if tools.settings.vault_folder.exists():
            raise vaults.VaultExists(tools.settings.vault_folder)
        text, root = _make(walk)
    else:
        text, root = _rotate(walk, vaults.open_by(tools.settings), KeyName(name))
    place = transcript_file or tools.settings.home / f"ceremony-{tools.clock.now():%Y%m%d-%H%M%S}.txt"
    vaults.write_durably(place, text.encode())
    if as_json:
        click.echo(json.dumps({"ok": True, "transcript": str(place), "root_fingerprint": fingerprint(root)}))
        return
    click.echo(text, nl=False)
    walk.say(f"\nThe transcript is in {place}. Print it, let everybody present sign it by hand, and publish it.")
    if walk.root_file.exists():
        walk.say(f"Move {walk.root_file} to two media, keep them apart under lock, and erase it here.")
    walk.say(f"Check it anywhere: ./city ceremony verify {place}")


@ceremony.command("verify")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--root", "pinned", help="Fingerprint of the root certificate, from a second source.")
@click.option("--here", is_flag=True, help="Also compare with the keys of this city's vault.")
@_JSON
@click.pass_obj
def verify(open_tools: Callable[[], Tools], file: Path, pinned: str | None, here: bool, as_json: bool) -> None:
    """Verify a transcript under the root certificate in it; exit 0 only when it holds."""
    try:
        found = Transcript.verify(file.read_bytes().decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadTranscript("it is not a text") from error
    print_of = fingerprint(found.root)
    if pinned is not None and "".join(pinned.split()).lower() != print_of.replace(" ", ""):
        raise BadTranscript(f"its root is another one, {print_of}")
    if here:
        _compare(found, vaults.open_by(open_tools().settings))
    if as_json:
        click.echo(json.dumps({"ok": True, "root_fingerprint": print_of, "keys": len(found.listed), "compared": here}))
        return
    click.echo(found.text.splitlines()[0])
    click.echo(f"The holders of this root key signed it, {len(found.listed)} keys in all. The root's fingerprint:")
    click.echo(f"  {print_of}")
    if here:
        click.echo("The keys and certificates are those of this city's vault.")
    if pinned is None:
        click.echo("Compare the fingerprint with what the witnesses wrote down (or give it: --root).")


def _compare(found: Transcript, vault: Vault) -> None:
    """Stages move on after a ceremony; keys and certificates do not. Raises: BadTranscript."""
    here = {(one.name, one.generation): (one.key_hash, one.certificate_hash) for one in actions.listed(vault)}
    for one in found.listed:
        if here.get((one.name, one.generation)) != (one.key_hash, one.certificate_hash):
            raise BadTranscript(f"generation {one.generation} of {one.name} is another key in this vault, or is gone")
