"""Following a backfill: bars for people, a line a product that is done with."""

import json
import sys
import time
from datetime import datetime, timedelta
from typing import Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from deploy.backfills.tables import duration
from ingest import ledger, publishing
from ingest.errors import DatabaseUnreachableError, IngestError
from ingest.items import cloud_cover
from ingest.lanes import lock
from ingest.ledger import Backfill, BackfillState, Ledger, State
from ingest.ledger.lookups import SUPERSEDED, Ended
from ingest.settings import IngestSettings
from producer.errors import ProducerError
from producer.layout import collection_id
from producer.product import ProductName
from producer.record import MaskRecord
from producer.storage import Storage

_POLL_S = 0.5
_OVERLAP = timedelta(seconds=30)
"""A product may end a little before another one, and be seen after it."""
_SHOWN = 4
_OVER = (BackfillState.DONE, BackfillState.ABORTED, BackfillState.FAILED)


class Follower:
    """Follows one backfill to its end."""

    def __init__(self, backfill: str, *, as_json: bool, products: bool) -> None:
        """Prepare.

        Args:
            backfill: Its id.
            as_json: Write JSON instead of words.
            products: Write a line for each product that is done with.
        """
        self._id = backfill
        self._as_json = as_json
        self._products = products
        self._store: Storage | None = None
        self._told: dict[int, datetime] = {}
        self._since: datetime | None = None
        self.failed: set[int] = set()

    def follow(self) -> Backfill:
        """Follow until nothing is left to do; a database that is away is waited for.

        Returns:
            The backfill at its end.

        Raises:
            UnknownBackfillError: There is none of that id.
            DatabaseUnreachableError: PostgreSQL did not answer the first time.
        """
        with _bars() as bars:
            view = _View(bars)
            met = False
            while True:
                try:
                    with ledger.opened() as book:
                        met = True
                        return self._follow(book, view)
                except DatabaseUnreachableError:
                    if not met:
                        raise
                    view.say("waiting for the database")
                    time.sleep(_POLL_S)

    def _follow(self, book: Ledger, view: "_View") -> Backfill:
        while True:
            backfill = book.backfill_get(self._id)
            progress = book.progress(self._id)
            # Asked after: what has ended by then is told before the end is.
            if self._products:
                self._tell(book, backfill, view.bars)
            lacking = _lacking(book) if progress.left or not backfill.listed else ""
            view.show(backfill, progress, book.workers(), lacking)
            if backfill.state in _OVER or (
                backfill.state is BackfillState.RUNNING and not progress.left
            ):
                return backfill
            time.sleep(_POLL_S)

    def _tell(self, book: Ledger, backfill: Backfill, bars: Progress) -> None:
        since = self._since and self._since - _OVERLAP
        for one in book.ended(self._id, since):
            if self._told.get(one.id) == one.updated:
                continue
            self._told[one.id] = one.updated
            self._since = max(self._since or one.updated, one.updated)
            if one.state is State.FAILED:
                self.failed.add(one.id)
            else:
                self.failed.discard(one.id)
            if one.state is State.ABORTED and one.error_kind == SUPERSEDED:
                continue
            told = self._outcome(one, backfill.engine)
            if self._as_json:
                typer.echo(json.dumps(told))
            elif one.state is State.DONE:
                cover = told["cloud_cover"]
                sky = "no cloud cover known" if cover is None else f"{cover:.1f} % cloud"
                how = "was there" if one.before else f"{told['seconds']:.0f} s"
                typer.echo(f"{one.product}: {sky} ({how})")
            else:
                problem = one.error if one.state is State.FAILED else "aborted"
                bars.console.print(Text(f"{one.product}: {problem}", style="red"))

    def _outcome(self, one: Ended, engine: str) -> dict[str, Any]:
        state = {State.FAILED: "failed", State.ABORTED: "aborted"}.get(one.state)
        done = one.state is State.DONE
        level = ProductName.parse(one.product).level
        record = self._record(one.record) if done else None
        return {
            "product": one.product,
            "state": state or ("unchanged" if one.before else "published"),
            "seconds": round(one.seconds, 1),
            "collection": collection_id(engine, level) if done else None,
            "cloud_cover": record and cloud_cover(record),
            "kind": one.error_kind if one.state is State.FAILED else None,
            "reason": one.error if one.state is State.FAILED else None,
        }

    def _record(self, key: str | None) -> MaskRecord | None:
        """Read a record; storage may be out of reach from here, which is no harm."""
        if key is None:
            return None
        try:
            if self._store is None:
                self._store = Storage.from_url(IngestSettings().store_url)
            return publishing.read(self._store, key).record
        except (ProducerError, IngestError):
            return None


class _View:
    """The bars: one for all products, one for each that is being worked on."""

    def __init__(self, bars: Progress) -> None:
        self.bars = bars
        self._whole = bars.add_task("products", total=None)
        self._running: list[TaskID] = []

    def say(self, what: str) -> None:
        """Say what is waited for."""
        self.bars.update(self._whole, description=what)

    def show(
        self,
        backfill: Backfill,
        progress: ledger.Progress,
        workers: list[ledger.WorkerState],
        lacking: str,
    ) -> None:
        """Draw one look at it."""
        alive = [worker for worker in workers if worker.alive]
        words = ["products" if backfill.listed else "products, looking for more"]
        if backfill.state is BackfillState.PAUSED:
            words.append("paused")
        elif lacking:
            words.append(lacking)
        elif progress.left and progress.eta_s is not None:
            words.append(f"{duration(progress.eta_s)} left")
        if backfill.error:
            words.append(backfill.error)
        done = progress.total - progress.left
        self.bars.update(
            self._whole, description="; ".join(words), completed=done, total=progress.total or None
        )
        for task in self._running:
            self.bars.remove_task(task)
        self._running = [
            self.bars.add_task(
                f"{worker.product}: {worker.step or worker.lane}",
                total=worker.total,
                completed=worker.done or 0,
            )
            for worker in [worker for worker in alive if worker.product][:_SHOWN]
        ]


def _lacking(book: Ledger) -> str:
    """Say which process is missing for anything to go on."""
    if not book.locked(lock.KEY):
        return "no dispatcher: start `nimbostac dispatcher`"
    if not any(worker.alive for worker in book.workers()):
        return "no worker: start `nimbostac worker`"
    return ""


def _bars() -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True, soft_wrap=True),
        # A pipe must get the results, which rich would take to its own console.
        redirect_stdout=sys.stdout.isatty(),
        transient=True,
    )
