"""What commands about backfills do, and say of it."""

import getpass
import json
from collections.abc import Callable
from typing import Any, TypeVar

import typer
from rich.console import Console

from deploy.backfills import tables
from deploy.backfills.following import Follower
from ingest import ledger
from ingest.backfills import creating, estimates, listing, views
from ingest.backfills.spec import BackfillSpec
from ingest.ledger import Backfill, BackfillState, Ledger, State

INTERRUPTED = 130

T = TypeVar("T")


def create(book: Ledger, spec: BackfillSpec) -> Backfill:
    """Begin a backfill, and say which engine was chosen where that was left open."""
    with book.transaction():
        made = creating.create(book, spec, me())
        book.audit(me(), "create", made.id, {"name": made.name})
    reason = made.spec.get("engine_reason")
    if reason:
        typer.echo(reason, err=True)
    return made


def listed(book: Ledger, backfill: Backfill) -> Backfill:
    """List all products of a backfill, here; broken off, the dispatcher goes on with it.

    Raises:
        SourceUnreachableError: The source does not answer for now.
    """
    with Console(stderr=True).status("looking for products") as status:
        while listing.step(book, backfill):
            backfill = book.backfill_get(backfill.id)
            status.update(f"looking for products: {backfill.found} so far")
    return book.backfill_get(backfill.id)


def estimate(spec: BackfillSpec, *, as_json: bool) -> None:
    """Say what a backfill would come to."""
    with ledger.opened() as book, Console(stderr=True).status("looking for products") as status:
        found = estimates.estimate(
            book, spec, lambda number: status.update(f"{number} found so far")
        )
    if as_json:
        typer.echo(json.dumps(found.to_json()))
    else:
        tables.show_estimate(found)


def view(backfill: str) -> dict[str, Any]:
    """Look a backfill up."""
    with ledger.opened() as book:
        return views.view(book, book.backfill_get(backfill))


def steer(subject: str, action: str, step: Callable[[Ledger], T]) -> T:
    """Do something to a backfill, and note who did it."""
    with ledger.opened() as book:
        done = step(book)
        book.audit(me(), action, subject)
    return done


def follow(backfill: str, *, as_json: bool, products: bool) -> None:
    """Follow a backfill to its end, and say what came of it.

    Args:
        backfill: Its id.
        as_json: JSON on standard output.
        products: Write a line a product, instead of a summary at the end.

    Raises:
        Exit: Some of its products failed, or it did; or it was interrupted.
    """
    try:
        over = Follower(backfill, as_json=as_json, products=products).follow()
    except KeyboardInterrupt:
        typer.echo(
            f"Interrupted; the backfill goes on, `nimbostac backfill show {backfill} --follow`"
            " follows it again.",
            err=True,
        )
        raise typer.Exit(INTERRUPTED) from None
    seen = view(backfill)
    if not products:
        if as_json:
            typer.echo(json.dumps(seen, indent=1))
        else:
            tables.show(seen)
    elif over.error:
        typer.echo(over.error, err=True)
    if over.state in (BackfillState.FAILED, BackfillState.ABORTED) or seen["counts"][State.FAILED]:
        raise typer.Exit(1)


def me() -> str:
    """Name who asks, for the audit trail."""
    try:
        return f"{getpass.getuser()} at the command line"
    except (KeyError, OSError):
        return "the command line"
