"""``nimbostac verify``: storage, pgstac and the ledger held against each other."""

import json
import sys
from collections.abc import Sequence
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.progress import Progress

    from ingest.findings import Mend
    from ingest.verify import Told, Verifying


class What(StrEnum):
    """What may be asked to be mended."""

    ITEMS = "items"
    COGS = "cogs"
    CHECKSUMS = "checksums"
    SUPERSEDED = "superseded"
    LEFTOVERS = "leftovers"
    LEDGER = "ledger"
    ALL = "all"


def verify(
    collection: Annotated[str | None, typer.Option(help="Look at this Collection only.")] = None,
    checksums: Annotated[
        bool, typer.Option("--checksums", help="Read every file, and compare its SHA-256.")
    ] = False,
    mend: Annotated[
        list[What] | None,
        typer.Option(
            help="items: delete Items without a mask, and mask their products again; cogs:"
            " publish what cannot be found; checksums: mask again what is not as its record"
            " tells; superseded: delete files of earlier engine versions; leftovers: delete files"
            " of no mask; ledger: have it tell what there is. May be given more than once.",
            show_default=False,
        ),
    ] = None,
    storage_lost: Annotated[
        bool,
        typer.Option("--storage-lost", help="Believe storage that is empty, and mend Items."),
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="One line of JSON a finding on standard output, and one of all."
        ),
    ] = False,
) -> None:
    """Find what storage, pgstac and the ledger tell differently, and mend what is asked.

    Safe to run while workers run. Exit code 1 if something is wrong and was not mended.
    """
    from ingest.verify import Asked, Verifying
    from producer.settings import ProducerSettings
    from producer.storage import Storage

    store = Storage.from_url(ProducerSettings().store_url)
    asked = Asked(collection, checksums, frozenset(_mends(mend or ())), storage_lost)
    verifying = Verifying(store, asked)
    with _progress() as bar:
        task = bar.add_task("Products", total=None)
        progress = partial(bar.update, task)
        for told in verifying.run(lambda done, total: progress(completed=done, total=total)):
            _tell(told, bar, as_json=as_json)
    _tell_all(verifying, as_json=as_json)
    if verifying.unmended:
        raise typer.Exit(1)


def _mends(wanted: Sequence[What]) -> "list[Mend]":
    from ingest.findings import Mend

    return list(Mend) if What.ALL in wanted else [Mend(str(one)) for one in wanted]


def _tell(told: "Told", bar: "Progress", *, as_json: bool) -> None:
    from rich.text import Text

    finding = told.finding
    if as_json:
        facts = {"kind": finding.kind, "collection": finding.collection}
        facts |= {"product": finding.product, "detail": finding.detail}
        typer.echo(json.dumps({**facts, "mended": told.mended}))
        return
    line = f"{finding.collection} {finding.product}: {finding.kind}: {finding.detail}"
    if told.mended is None:
        bar.console.print(Text(line, style="red"))
    else:
        bar.console.print(Text(f"{line}; mended: {told.mended}"))


def _tell_all(verifying: "Verifying", *, as_json: bool) -> None:
    found, mended = verifying.found, verifying.mended
    if as_json:
        facts = {"checked": verifying.checked, "unmended": verifying.unmended}
        typer.echo(json.dumps({**facts, "found": found, "mended": mended}))
        return
    for kind, count in sorted(found.items()):
        how = f"--mend {kind.mend}" if mended[kind] < count else "mended"
        typer.echo(f"{count:8} {kind} ({how})")
    typer.echo(f"{verifying.checked} products, {found.total()} findings, {verifying.unmended} left")


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
