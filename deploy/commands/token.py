"""``nimbostac token``: who may ask the administration, and do what."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import typer

token = typer.Typer(
    no_args_is_help=True, help="Say who may use the administration: its API and the page."
)


@token.command()
def create(
    name: Annotated[str, typer.Argument(help="Whose token it is; the audit trail says so.")],
    role: Annotated[
        Literal["read", "operate"], typer.Option(help="Look only, or steer backfills too.")
    ] = "read",
    days: Annotated[
        int | None, typer.Option(min=1, help="Days until it expires; never without.")
    ] = None,
) -> None:
    """Make a token. Its secret is written once, to standard output, and kept nowhere."""
    from ingest import ledger

    expires = None if days is None else datetime.now(UTC) + timedelta(days=days)
    with ledger.opened() as book:
        secret = book.token_create(name, ledger.Role(role), expires)
        book.audit(_me(), "token create", name, {"role": role, "days": days})
    until = f"until {expires:%Y-%m-%d %H:%M} UTC" if expires else "until it is revoked"
    typer.echo(f"Token {name!r} may {role}, {until}. It is shown this once:", err=True)
    typer.echo(secret)


@token.command(name="list")
def list_tokens(
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON array on standard output.")
    ] = False,
) -> None:
    """List all tokens, revoked ones too; nothing tells their secrets."""
    from ingest import ledger

    with ledger.opened() as book:
        tokens = book.token_list()
    if as_json:
        from pydantic import TypeAdapter

        typer.echo(TypeAdapter(list[ledger.Token]).dump_json(tokens, indent=1).decode())
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("Name", "Role", "State", "Created", "Expires", "Last used", box=None)
    for one in tokens:
        state = "revoked" if one.revoked else "good"
        if one.expires and one.expires < datetime.now(UTC):
            state = "expired"
        table.add_row(
            one.name, one.role, state, *map(_moment, (one.created, one.expires, one.last_used))
        )
    Console().print(table)


@token.command()
def revoke(name: Annotated[str, typer.Argument(help="Name of the token.")]) -> None:
    """End a token at once."""
    from ingest import ledger

    with ledger.opened() as book:
        if not book.token_revoke(name):
            typer.echo(f"There is no token {name!r} that could be revoked.", err=True)
            raise typer.Exit(1)
        book.audit(_me(), "token revoke", name)
    typer.echo(f"Token {name!r} is revoked.", err=True)


def _moment(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}" if moment else "-"


def _me() -> str:
    import getpass

    try:
        return f"{getpass.getuser()} at the command line"
    except (KeyError, OSError):
        return "the command line"
