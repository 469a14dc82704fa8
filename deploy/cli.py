"""The command line: every command loads only what it runs, every error is told once."""

import importlib
import os
import sys
from dataclasses import dataclass
from importlib.metadata import version
from typing import Annotated

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group
from typing_extensions import override


@dataclass(frozen=True, slots=True)
class Command:
    """Where a command lives and what it needs."""

    module: str
    """Module with a function, or a Typer application, of the command's name."""
    extra: str
    """Extra of the distribution that brings its packages."""
    joins: bool = False
    """Whether it works on the running stack, where the environment names no servers."""


COMMANDS: dict[str, Command] = {
    "demo": Command("deploy.commands.demo", "stack"),
    "up": Command("deploy.commands.stack", "stack"),
    "down": Command("deploy.commands.stack", "stack"),
    "status": Command("deploy.commands.stack", "stack"),
    "logs": Command("deploy.commands.stack", "stack"),
    "mask": Command("deploy.commands.mask", "producer"),
    "backfill": Command("deploy.commands.backfill", "ingest,producer", joins=True),
    "ingest": Command("deploy.commands.reindex", "ingest", joins=True),
    "reindex": Command("deploy.commands.reindex", "ingest", joins=True),
    "verify": Command("deploy.commands.verify", "ingest", joins=True),
    "watch": Command("deploy.commands.watch", "ingest,producer", joins=True),
    "dispatcher": Command("deploy.commands.dispatcher", "ingest,producer", joins=True),
    "worker": Command("deploy.commands.worker", "ingest,producer", joins=True),
    "clear": Command("deploy.commands.clear", "tiler", joins=True),
    "token": Command("deploy.commands.token", "ingest", joins=True),
    "migrate": Command("deploy.commands.migrate", "ingest", joins=True),
    "weights": Command("deploy.commands.weights", "kappamask"),
}
"""Every command, in the order that ``--help`` lists them."""


class LazyGroup(TyperGroup):
    """Commands that are imported when they are called, or listed."""

    @override
    def list_commands(self, ctx: object) -> list[str]:
        return list(COMMANDS)

    @override
    def get_command(self, ctx: object, cmd_name: str) -> TyperCommand | TyperGroup | None:
        if cmd_name not in COMMANDS:
            return None
        found = getattr(importlib.import_module(COMMANDS[cmd_name].module), cmd_name)
        if isinstance(found, typer.Typer):
            group = get_group(found)
            group.name = cmd_name
            return group
        single = typer.Typer(add_completion=False)
        single.command(cmd_name)(found)
        command = get_command(single)
        return command if isinstance(command, TyperCommand | TyperGroup) else None


app = typer.Typer(
    cls=LazyGroup,
    name="nimbostac",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nimbostac {version('nimbostac')}")
        raise typer.Exit


@app.callback()
def nimbostac(
    context: typer.Context,
    debug: Annotated[
        bool, typer.Option("--debug", envvar="NIMBOSTAC_DEBUG", help="Show where errors arise.")
    ] = False,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Tell the version."),
    ] = False,
) -> None:
    """Cloud and cloud-shadow masks of Sentinel-2: made, catalogued, searched and drawn."""
    if debug:
        # The environment, so that the processes of the stack know it too.
        os.environ["NIMBOSTAC_DEBUG"] = "1"
    command = COMMANDS.get(context.invoked_subcommand or "")
    if command is not None and command.joins:
        from deploy.settings import DeploySettings
        from deploy.stack.home import Home

        Home(DeploySettings().home_path).join()


def main() -> None:
    """Run the command that the arguments name; a known error is one line and exit code 1."""
    try:
        app()
    except Exception as error:
        text = told(error)
        if text is None or os.environ.get("NIMBOSTAC_DEBUG") == "1":
            raise
        from rich.console import Console
        from rich.text import Text

        Console(stderr=True, soft_wrap=True).print(Text(f"Error: {text}", style="red"))
        sys.exit(1)


def told(error: Exception) -> str | None:
    """Put an error into words for a person; ``None`` for what should never happen."""
    # An error of a package that was never imported cannot have been raised.
    for package, root in (
        ("producer", "ProducerError"),
        ("ingest", "IngestError"),
        ("tiler", "ClearError"),
        ("deploy", "DeployError"),
    ):
        errors = sys.modules.get(f"{package}.errors")
        if errors is not None and isinstance(error, getattr(errors, root)):
            return str(error)
    from pydantic import ValidationError

    from deploy.errors import MissingExtraError, SettingsError

    if isinstance(error, ValidationError) and error.title.endswith("Settings"):
        return str(SettingsError(error))
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        name = next((word for word in sys.argv[1:] if word in COMMANDS), None)
        if name is not None and package not in ("producer", "ingest", "catalog", "tiler", "deploy"):
            return str(MissingExtraError(name, package, COMMANDS[name].extra))
    return None


if __name__ == "__main__":
    main()
