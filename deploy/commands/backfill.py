"""``nimbostac backfill``: put products into the queue and follow them to the catalogue."""

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rich.progress import Progress, TaskID

    from ingest.backfill import Status, Wanted
    from ingest.jobs import Outcome
    from ingest.settings import IngestSettings

INTERRUPTED = 130


def backfill(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...",
            help="SAFE folders, zips of them, folders that hold some, or @LIST: a text file"
            " with one a line. The worker must see them at the same place.",
            show_default=False,
        ),
    ],
    engine: Annotated[str, typer.Option(help="Which engine masks.")] = "ukis-csmask",
    wait: Annotated[bool, typer.Option(help="Follow the jobs until the last one is done.")] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="One line of JSON a product on standard output.")
    ] = False,
) -> None:
    """Mask, store and catalogue products, by the workers.

    What is done already is not done again. ctrl-C ends the following, not the jobs; the same
    command takes it up again. Exit code 0: all are in the catalogue; 1: some failed; 2: wrong
    usage; 130: interrupted.
    """
    import asyncio

    from deploy.commands.mask import products
    from ingest.settings import IngestSettings
    from producer import engines

    if engine not in engines.names():
        raise typer.BadParameter(f"{engine!r} is none of {', '.join(engines.names())}")
    wanted = list(_wanted(products(sources)))
    try:
        failed = asyncio.run(_run(IngestSettings(), wanted, engine, wait=wait, as_json=as_json))
    except KeyboardInterrupt:
        typer.echo("Interrupted; the jobs go on, the same command follows them again.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    if failed:
        raise typer.Exit(1)


def _wanted(paths: "Iterator[Path]") -> "Iterator[Wanted]":
    from ingest.backfill import Wanted

    for path in paths:
        place = path.absolute()
        yield Wanted(place.name.removesuffix(".zip").removesuffix(".SAFE"), str(place))


async def _run(
    settings: "IngestSettings", wanted: list["Wanted"], engine: str, *, wait: bool, as_json: bool
) -> int:
    from ingest import queue
    from ingest.backfill import enqueue, follow

    async with queue.opened(settings) as redis:
        jobs = await enqueue(redis, wanted, engine)
        if not wait:
            _tell_queued(jobs, as_json=as_json)
            return 0
        failed = 0
        with _bars() as bars:
            view = _View(bars, len(jobs))
            async for status in follow(redis, jobs):
                view.show(status)
                for outcome in status.outcomes:
                    failed += outcome.state == "failed"
                    _tell(outcome, bars, as_json=as_json)
        return failed


class _View:
    """The bars of a backfill: one for all, one for what is being worked on."""

    def __init__(self, bars: "Progress", total: int) -> None:
        self._bars = bars
        self._whole = bars.add_task("products", total=total)
        self._running: list[TaskID] = []
        self._total = total

    def show(self, status: "Status") -> None:
        """Draw one look at the jobs."""
        lacking = " (no worker: start `nimbostac worker`)" if status.worker == "missing" else ""
        self._bars.update(
            self._whole, description=f"products{lacking}", completed=self._total - status.left
        )
        for task in self._running:
            self._bars.remove_task(task)
        self._running = [
            self._bars.add_task(
                f"{one.product}: {one.error or one.step}", total=one.total, completed=one.done
            )
            for one in status.running
        ]


def _bars() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

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


def _tell_queued(jobs: dict[str, "Wanted"], *, as_json: bool) -> None:
    if as_json:
        for job, one in jobs.items():
            typer.echo(json.dumps({"product": one.product, "state": "queued", "job": job}))
    else:
        typer.echo(f"{len(jobs)} products are queued; the same command without --no-wait follows")


def _tell(outcome: "Outcome", bars: "Progress", *, as_json: bool) -> None:
    from dataclasses import asdict

    from rich.text import Text

    if as_json:
        typer.echo(json.dumps(asdict(outcome)))
    elif outcome.state == "failed":
        bars.console.print(Text(f"{outcome.product}: {outcome.reason}", style="red"))
    else:
        known = outcome.cloud_cover is not None
        sky = f"{outcome.cloud_cover:.1f} % cloud" if known else "no valid pixel"
        how = "was there" if outcome.state == "unchanged" else f"{outcome.seconds:.0f} s"
        typer.echo(f"{outcome.product}: {sky} ({how})")
