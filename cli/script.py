"""Commands that the `city` script answers itself, for whoever comes in by another way."""

import click


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED)
def test(pytest_arguments: tuple[str, ...]) -> None:
    """Install what the tests need where that is allowed, run them all, and say what was skipped and why.

    Arguments go to pytest: `./city test -k receipt`.
    """
    raise click.ClickException(f"run it through the script: ./city test {' '.join(pytest_arguments)}".rstrip())
