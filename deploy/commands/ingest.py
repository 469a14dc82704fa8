"""``nimbostac ingest``: make masks findable that lie in storage already."""

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.progress import Progress

    from ingest.publishing import Found
    from producer.storage import Storage


def ingest(
    prefix: Annotated[
        str,
        typer.Argument(
            help="Only what lies under this key, such as ukis-csmask-l1c/33.", show_default=False
        ),
    ] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="End with one JSON object on standard output.")
    ] = False,
) -> None:
    """Load the records of stored masks into the database; all of it can be rebuilt this way.

    Storage is NIMBOSTAC_STORE_URL. Exit code 1 if a record could not be read.
    """
    from ingest import pgstac, publishing
    from producer.settings import ProducerSettings
    from producer.storage import Storage

    store = Storage.from_url(ProducerSettings().store_url)
    loaded = failed = 0
    with pgstac.opened() as database, _progress() as bar:
        task = bar.add_task("Looking through storage", total=None)
        keys = list(publishing.record_keys(store, prefix))
        bar.update(task, description="Loading", total=len(keys))
        for batch in publishing.batches(keys):
            found = _read(store, batch, bar)
            failed += len(batch) - len(found)
            loaded += publishing.publish(store, found, database)
            bar.advance(task, len(batch))
    if as_json:
        typer.echo(json.dumps({"store": store.url, "loaded": loaded, "failed": failed}))
    else:
        typer.echo(f"{loaded} Items loaded from {store.url}, {failed} records unreadable")
    if failed:
        raise typer.Exit(1)


def _read(store: "Storage", keys: list[str], bar: "Progress") -> list["Found"]:
    from ingest import publishing
    from producer.errors import RecordError

    found = []
    for key in keys:
        try:
            found.append(publishing.read(store, key))
        except RecordError as error:
            bar.console.print(f"[red]{error}[/]", soft_wrap=True)
    return found


def _progress() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True, soft_wrap=True),
        redirect_stdout=sys.stdout.isatty(),
        transient=True,
    )
