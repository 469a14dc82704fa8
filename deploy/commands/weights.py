"""``nimbostac weights``: the trained weights of KappaMask, fetched, imported and checked."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from producer.kappamask.weights import WeightsCache, WeightsCard

weights = typer.Typer(
    no_args_is_help=True, help="Fetch, import and check KappaMask's trained weights."
)

Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME]...",
        help="Such as l1c_deeplabv3plus; by default the two that masks are made with.",
        show_default=False,
    ),
]
Pin = Annotated[
    str | None,
    typer.Option("--sha256", help="Digest that the HDF5 file must have.", show_default=False),
]
_USUAL = ("l1c_deeplabv3plus", "l2a_deeplabv3plus")


@weights.command("list")
def list_() -> None:
    """List the weights in the cache; nothing is checked."""
    cache = _cache()
    cards = cache.cards()
    for card in cards:
        typer.echo(_in_words(card))
    if not cards:
        typer.echo(f"No weights in {cache.folder}; `nimbostac weights fetch` gets them.", err=True)


@weights.command()
def fetch(
    names: Names = None,
    url: Annotated[
        str | None,
        typer.Option(
            help="Folder that holds NAME.hdf5: https://, http://, s3:// ...;"
            " by default NIMBOSTAC_WEIGHTS_URL, else KappaZeta's own.",
            show_default=False,
        ),
    ] = None,
    sha256: Pin = None,
) -> None:
    """Fetch weights; what broke off goes on where it was."""
    from producer.kappamask.fetching import Source
    from producer.kappamask.fetching import fetch as fetch_weights
    from producer.settings import ProducerSettings

    wanted = tuple(names or _USUAL)
    if sha256 is not None and len(wanted) != 1:
        raise typer.BadParameter("--sha256 pins one file: name one")
    source = Source(tuple((url or ProducerSettings().weights_url).split()), sha256)
    with _bars() as bars:
        for name in wanted:
            task = bars.add_task(name, total=None)
            show = partial(_show, bars, task)
            _tell(fetch_weights(_cache(), name, source, show))


@weights.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="HDF5 file as Keras wrote it.", show_default=False)],
    name: Annotated[
        str | None,
        typer.Option(help="What it is; by default its own name without .hdf5.", show_default=False),
    ] = None,
    sha256: Pin = None,
) -> None:
    """Import weights from a file, weights only or a full model."""
    from producer.kappamask.weights import NAMES

    wanted = name or file.stem
    if wanted not in NAMES:
        raise typer.BadParameter(f"{wanted!r} is none of {', '.join(NAMES)}; say which by --name")
    _tell(_cache().put(file, wanted, sha256=sha256))


@weights.command()
def verify(names: Names = None) -> None:
    """Check weights in the cache against their digests; by default all that are there."""
    cache = _cache()
    for name in names or [card.name for card in cache.cards()]:
        typer.echo(f"{_in_words(cache.verify(name))}: unchanged")


def _cache() -> "WeightsCache":
    from producer.kappamask.weights import WeightsCache
    from producer.settings import ProducerSettings

    return WeightsCache.of(ProducerSettings())


def _in_words(card: "WeightsCard") -> str:
    return f"{card.name} sha256:{card.sha256} ({card.trust}, from {card.source})"


def _tell(card: "WeightsCard") -> None:
    typer.echo(_in_words(card))
    if card.trust == "pinned":
        return
    how = (
        "over plain HTTP, where anybody on the way can change it"
        if (card.source.startswith("http://"))
        else "and nothing vouches for it yet"
    )
    typer.echo(
        f"Trusted on first use: no digest was given, the file came {how}. Compare the digest with"
        " one that you trust; from now on another file is refused.",
        err=True,
    )


def _show(bars: "Bars", task: "TaskID", _step: str, done: int, total: int) -> None:
    bars.update(task, completed=done, total=total)


def _bars() -> "Bars":
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
