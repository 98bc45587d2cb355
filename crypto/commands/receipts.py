"""`receipt verify`: anybody checks a receipt offline, with nothing but the city's public keys."""

import base64
import binascii
import json
from datetime import UTC, datetime
from pathlib import Path

import click

from crypto.errors import CryptoError, MalformedMessage
from crypto.wire import ids, printed
from crypto.wire.body import TIME_MS_MAX
from crypto.wire.citykeys import CityKeys
from crypto.wire.kinds import title
from crypto.wire.receipt import BYTES_MAX, Receipt, verify_receipt

_TAG_SIGN1 = b"\xd2"  # RFC 9052 4.2: what a binary receipt begins with; no base64url text does
_TEXT_MAX = BYTES_MAX * 2


@click.group()
def receipt() -> None:
    """Receipts: the city's signed answers."""


@receipt.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--city-key",
    "key_file",
    type=click.Path(path_type=Path),
    envvar="CITY_KEYS",
    default=Path("city-keys.txt"),
    show_default=True,
    help="The city's public keys, a text file. [env: CITY_KEYS]",
)
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object.")
@click.pass_context
def verify(context: click.Context, file: Path, key_file: Path, *, as_json: bool) -> None:
    """Check the receipt in FILE: binary, its base64url text, or what a printed receipt's QR code says.

    It holds when the city signed it and the city's log contains exactly what it says. Exit status 0 only then.
    """
    try:
        city_keys = CityKeys.parse(_read_text(key_file))
        verified = verify_receipt(_read_receipt(file), city_keys)
    except CryptoError as error:
        if as_json:
            click.echo(json.dumps({"holds": False, "code": error.code, "reason": str(error)}))
        else:
            click.echo(f"The receipt does not hold. {error}", err=True)
        context.exit(1)
    click.echo(json.dumps(_as_json(verified)) if as_json else _as_text(verified))


def _read(file: Path, size_max: int) -> bytes:
    try:
        with file.open("rb") as stream:
            data = stream.read(size_max + 1)
    except OSError as error:
        raise MalformedMessage(f"{file} cannot be read: {error.strerror}.") from error
    if len(data) > size_max:
        raise MalformedMessage(f"{file} is too large; it is some other file.")
    return data


def _read_text(file: Path) -> str:
    try:
        return _read(file, _TEXT_MAX).decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedMessage(f"{file} is not a text file.") from error


def _read_receipt(file: Path) -> bytes:
    data = _read(file, _TEXT_MAX)
    if data.startswith(_TAG_SIGN1):
        return data
    text = b"".join(data.split()).rstrip(b"=")
    if printed.is_printed(text.decode("latin-1")):
        return printed.from_text(text.decode("latin-1"))
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedMessage(f"{file} is no receipt: not binary, not base64url, not printed.") from error


def _as_json(item: Receipt) -> dict[str, object]:
    return {
        "holds": True,
        "outcome": item.outcome,
        "reason": item.reason,
        "kind": title(item.kind),
        "amount_cents": item.amount_cents,
        "currency": item.currency,
        "record_id": str(item.record_id),
        "record_hash": item.record_hash.hex(),
        "recorded_at": f"{_instant(item.recorded_at_ms):%Y-%m-%dT%H:%M:%SZ}",
        "official_number": item.official_number,
        "entry_hash": item.entry_hash and item.entry_hash.hex(),
        "log": item.checkpoint.partition("\n")[0],
        "leaf_index": item.leaf_index,
        "tree_size": item.tree_size,
    }


def _as_text(item: Receipt) -> str:
    amount = "" if item.amount_cents is None else f", {item.currency} {_money(item.amount_cents)}"
    reason = "" if item.reason is None else f" ({item.reason.replace('_', ' ')})"
    lines = [
        "The receipt holds: the city signed it, and the city's log contains it.",
        f"  what      {title(item.kind)}{amount}: {item.outcome}{reason}",
        f"  made      {_time(ids.unix_ms(item.record_id))} as record {item.record_id}",
        f"  recorded  {_time(item.recorded_at_ms)}",
    ]
    if item.official_number is not None:
        lines.append(f"  official  receipt {item.official_number}")
    if item.entry_hash is not None:
        lines.append(f"  entry     {item.entry_hash.hex()}")
    log = item.checkpoint.partition("\n")[0]
    lines.append(f"  log       {log}, leaf {item.leaf_index} of {item.tree_size}")
    return "\n".join(lines)


def _time(at_ms: int) -> str:
    if at_ms > TIME_MS_MAX:  # whoever makes an id writes what they like into it
        return "at no time that can be"
    return f"{_instant(at_ms):%Y-%m-%d %H:%M:%S UTC}"


def _instant(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, UTC)


def _money(cents: int) -> str:
    return f"{cents // 100:,}.{cents % 100:02d}"
