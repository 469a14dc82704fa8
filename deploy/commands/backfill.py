"""``nimbostac backfill``: many products masked and catalogued by the workers, come what may."""

import json
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typing_extensions import override

from deploy.backfills.options import (
    Aoi,
    AsJson,
    Asset,
    Baseline,
    Box,
    Collection,
    End,
    Engine,
    Id,
    Level,
    MaxCloud,
    Priority,
    Root,
    Source,
    Start,
    Tile,
)

_DEFAULT = "run"
_HELP = ("-h", "--help")


class PathsOrCommand(TyperGroup):
    """A group whose commands may be left out: other words are products."""

    @override
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in _HELP:
            args = [_DEFAULT, *args]
        return super().parse_args(ctx, args)


backfill = typer.Typer(
    cls=PathsOrCommand,
    no_args_is_help=True,
    subcommand_metavar="PATH... | COMMAND [ARGS]...",
    context_settings={"help_option_names": list(_HELP)},
    help="Mask, store and catalogue many products, by the workers.\n\n"
    "`nimbostac backfill PATH...` takes products and follows them to the end; the commands below"
    " look for products, and steer and show what was asked for.",
)


@backfill.command(_DEFAULT, hidden=True)
def run(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...",
            help="SAFE folders, zips of them, folders that hold some, or @LIST: a text file"
            " with one a line. The workers must see them at the same place.",
            show_default=False,
        ),
    ],
    engine: Engine = "auto",
    wait: Annotated[bool, typer.Option(help="Follow until the last product is done.")] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="One line of JSON a product on standard output.")
    ] = False,
) -> None:
    """Mask, store and catalogue products, by the workers.

    What is done already is not done again. ctrl-C ends the following, not the backfill; the same
    command takes it up again. Exit code 0: all are in the catalogue; 1: some failed; 2: wrong
    usage; 130: interrupted.
    """
    from deploy.backfills import asking, doing
    from ingest import ledger

    spec = asking.read({"source": asking.of_paths(sources), "engine": engine})
    with ledger.opened() as book:
        # Not left to the dispatcher: what is wrong with the source is said here and now.
        made = doing.listed(book, doing.create(book, spec))
    if wait:
        doing.follow(made.id, as_json=as_json, products=True)
    elif as_json:
        typer.echo(json.dumps(doing.view(made.id)))
    else:
        typer.echo(
            f"{made.found} products are queued;"
            f" `nimbostac backfill show {made.id} --follow` follows them"
        )


@backfill.command()
def create(
    source: Source,
    collection: Collection = None,
    asset: Asset = None,
    root: Root = None,
    start: Start = None,
    end: End = None,
    tile: Tile = None,
    bbox: Box = None,
    aoi: Aoi = None,
    level: Level = None,
    baseline: Baseline = None,
    max_cloud: MaxCloud = None,
    engine: Engine = "auto",
    priority: Priority = 5,
    name: Annotated[str, typer.Option(help="For people.", show_default=False)] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only count, and say what it would take.")
    ] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Stay until it is done.")] = False,
    as_json: AsJson = False,
) -> None:
    """Look for products in a source, and have them masked.

    The newest processing baseline of each acquisition is taken; what this version of the engine
    has masked already is not masked again. Prints the id of the backfill.
    """
    from deploy.backfills import asking, doing
    from ingest import ledger

    place = asking.SourceOptions(source, collection or (), asset, root).place()
    filters = asking.FilterOptions(
        start, end, tile or (), bbox, aoi, level, baseline, max_cloud
    ).described()
    asked = {"source": place, "filters": filters, "engine": engine}
    spec = asking.read({**asked, "priority": priority, "name": name})
    if dry_run:
        doing.estimate(spec, as_json=as_json)
        return
    with ledger.opened() as book:
        made = doing.create(book, spec)
    if follow:
        typer.echo(f"backfill {made.id}", err=True)
        doing.follow(made.id, as_json=as_json, products=False)
    else:
        typer.echo(json.dumps(doing.view(made.id)) if as_json else made.id)


@backfill.command(name="list")
def list_backfills(
    every: Annotated[
        bool, typer.Option("--all", help="Also those that are over for long.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List backfills and watches, the newest first."""
    from deploy.backfills import tables
    from ingest import ledger
    from ingest.backfills.views import view

    with ledger.opened() as book:
        found = book.backfill_list()
        views = [view(book, one) for one in (found if every else found[:50])]
    if as_json:
        typer.echo(json.dumps(views, indent=1))
    else:
        tables.show_all(views)


@backfill.command()
def show(
    backfill_id: Id,
    follow: Annotated[bool, typer.Option("--follow", help="Stay until it is done.")] = False,
    as_json: AsJson = False,
) -> None:
    """Tell what was asked for, and how far it is."""
    from deploy.backfills import doing, tables

    if follow:
        doing.follow(backfill_id, as_json=as_json, products=False)
    elif as_json:
        typer.echo(json.dumps(doing.view(backfill_id), indent=1))
    else:
        tables.show(doing.view(backfill_id))


@backfill.command()
def pause(backfill_id: Id) -> None:
    """Begin no more of its products; what runs goes on to the end of its lane."""
    from deploy.backfills import doing

    doing.steer(backfill_id, "pause", lambda book: book.pause(backfill_id))
    typer.echo(f"{backfill_id} is paused; `nimbostac backfill resume {backfill_id}` goes on")


@backfill.command()
def resume(backfill_id: Id) -> None:
    """Go on with what is paused."""
    from deploy.backfills import doing

    doing.steer(backfill_id, "resume", lambda book: book.resume(backfill_id))
    typer.echo(f"{backfill_id} goes on")


@backfill.command()
def abort(backfill_id: Id) -> None:
    """Give it up: what runs is stopped, what waits leaves, but for what others want."""
    from deploy.backfills import doing

    doing.steer(backfill_id, "abort", lambda book: book.abort(backfill_id))
    typer.echo(f"{backfill_id} is aborted; `nimbostac backfill retry {backfill_id}` takes it back")


@backfill.command()
def retry(backfill_id: Id) -> None:
    """Try once more what failed or was aborted, and listing if that failed."""
    from deploy.backfills import doing

    number = doing.steer(backfill_id, "retry", lambda book: book.retry(backfill_id))
    typer.echo(f"{number} products of {backfill_id} are tried once more")


@backfill.command()
def redo(
    engine: Annotated[str, typer.Option(help="Which engine.", show_default=False)],
    priority: Priority = 9,
) -> None:
    """Mask again what another version of an engine has masked.

    The masks that are there stay in the catalogue until the new ones are published.
    """
    from deploy.backfills import doing
    from ingest.backfills.redoing import redo as redo_all

    number = doing.steer(engine, "redo", lambda book: redo_all(book, engine, priority=priority))
    typer.echo(f"{number} products are masked again by {engine}")


@backfill.command()
def failures(
    backfill_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Only of this one.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 1000,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON each.")] = False,
) -> None:
    """List products that were given up, and why."""
    from dataclasses import asdict

    from deploy.backfills import tables
    from ingest import ledger

    with ledger.opened() as book:
        if backfill_id is not None:
            book.backfill_get(backfill_id)
        found = book.failures(backfill_id, limit)
    if as_json:
        for one in found:
            typer.echo(json.dumps(asdict(one), default=str))
    elif found:
        tables.show_failures(found)
    else:
        typer.echo("Nothing has failed.", err=True)


@backfill.command()
def coverage(
    tile: Annotated[str, typer.Option(help="MGRS tile such as 33UUU.", show_default=False)],
    start: Start = None,
    end: End = None,
    engine: Annotated[
        str | None, typer.Option(help="Only of this engine.", show_default=False)
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            help="Look here, too, for products that were never asked for.", show_default=False
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell which products of a tile exist, are masked, failed, or are missing."""
    from deploy.backfills import asking, tables
    from ingest import ledger
    from ingest.backfills.covering import cover

    filters = asking.FilterOptions(start, end, [tile]).described()
    place = {"kind": "folder", "address": "/"}
    if source is not None:
        place = asking.SourceOptions(source).place()
    spec = asking.read({"source": place, "filters": filters})
    with ledger.opened() as book:
        found = cover(book, spec.filters, engine, spec.source.open() if source else None)
    if as_json:
        typer.echo(json.dumps(found, indent=1))
    else:
        tables.show_coverage(found)
