"""``nimbostac reindex``, or ``nimbostac ingest``: pgstac and the ledger from what storage has."""

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from ingest.reindex import Rebuilt


def reindex(
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
    """Publish every mask that lies in storage, and note it in the ledger as done.

    Safe to run again, and while workers run. Storage is NIMBOSTAC_STORE_URL. Exit code 1 if
    there is a mask that could not be published.
    """
    from dataclasses import asdict

    from ingest import reindex as rebuilding
    from producer.settings import ProducerSettings
    from producer.storage import Storage

    store = Storage.from_url(ProducerSettings().store_url)
    with _progress() as bar:
        done = rebuilding.reindex(store, _Watcher(bar), prefix)
    if as_json:
        typer.echo(json.dumps({"store": store.url, **asdict(done)}))
    else:
        typer.echo(
            f"{done.items} Items from {store.url}, {done.rows} new to the ledger,"
            f" {done.failed} products with a mask that cannot be published"
        )
    if done.failed:
        raise typer.Exit(1)


ingest = reindex


class _Watcher:
    """Draws how it goes."""

    def __init__(self, bar: "Progress") -> None:
        self._bar = bar
        self._task: TaskID = bar.add_task("Looking through storage", total=None)

    def done(self, total: "Rebuilt", place: str) -> None:
        """Draw how many Items there are, and where it is."""
        self._bar.update(self._task, completed=total.items, description=place)

    def failed(self, reason: str) -> None:
        """Tell of a mask that is left out."""
        from rich.text import Text

        self._bar.console.print(Text(reason, style="red"))


def _progress() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.completed} Items"),
        BarColumn(bar_width=20),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
        console=Console(stderr=True, soft_wrap=True),
        redirect_stdout=sys.stdout.isatty(),
        transient=True,
    )
