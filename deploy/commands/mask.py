"""``nimbostac mask``: products in, masks out; no database, queue or web server needed."""

import json
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from producer.options import Backend, EngineOptions, Mode, Precision

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

    from producer.errors import ProducerError
    from producer.record import MaskRecord
    from producer.storage import Storage

INTERRUPTED = 130


def mask(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SAFE...",
            help="SAFE folders, zips of them, folders that hold some, or @LIST: a text file"
            " with one a line.",
            show_default=False,
        ),
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="Folder, or s3://, gs:// or az:// address, to keep masks in;"
            " by default NIMBOSTAC_STORE_URL, else ./masks.",
            show_default=False,
        ),
    ] = None,
    engine: Annotated[
        str,
        typer.Option(
            help="Which engine masks: kappamask, ukis-csmask, or auto: kappamask if its weights"
            " are there or can be fetched, else ukis-csmask."
        ),
    ] = "auto",
    as_json: Annotated[
        bool, typer.Option("--json", help="One line of JSON a product on standard output.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Make masks again that are there already.")
    ] = False,
    preview: Annotated[
        bool, typer.Option(help="Make a true-colour preview beside each mask.")
    ] = True,
    mode: Annotated[
        Mode,
        typer.Option(help="KappaMask: legacy-2.4 gives the masks of km_predict 2.4, bugs kept."),
    ] = Mode.HARMONISED,
    aoi: Annotated[
        Path | None,
        typer.Option(
            help="KappaMask: GeoJSON file; only tiles of 5 km that it touches are masked.",
            show_default=False,
        ),
    ] = None,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="KappaMask: write a COG of them, too.")
    ] = False,
    km_names: Annotated[
        bool,
        typer.Option("--km-names", help="Put copies under prediction/, named as by km_predict."),
    ] = False,
    device: Annotated[str, typer.Option(help="KappaMask: cpu, cuda or cuda:1.")] = "cpu",
    precision: Annotated[
        Precision, typer.Option(help="KappaMask: bf16 and fp16 change single pixels.")
    ] = Precision.FLOAT32,
    backend: Annotated[
        Backend, typer.Option(help="KappaMask: what runs the network.")
    ] = Backend.AUTO,
) -> None:
    """Mask products: a COG, a preview, a thumbnail and a record each.

    What is done already is not done again, so an interrupted run is resumed by the same
    command. Exit code 0: all are done; 1: some failed; 2: wrong usage; 130: interrupted.
    """
    from producer.engines import names
    from producer.engines.choice import AUTO
    from producer.errors import NoSpaceError, ProducerError
    from producer.kappamask.area import read_area
    from producer.masking import Masker, MaskOptions
    from producer.settings import ProducerSettings
    from producer.storage import Storage

    if engine not in (AUTO, *names()):
        raise typer.BadParameter(f"{engine!r} is none of {', '.join((AUTO, *names()))}")
    told = EngineOptions(
        mode=mode,
        aoi=None if aoi is None else read_area(aoi),
        probabilities=probabilities,
        device=device,
        precision=precision,
        backend=backend,
    )
    paths = list(products(sources))
    store = Storage.from_url(output or ProducerSettings().store_url)
    options = MaskOptions(overwrite=overwrite, preview=preview, engine=told, km_names=km_names)
    masker = Masker(store, engine, options)
    noted: set[str] = set()
    done = failed = 0
    with _bars() as bars:
        whole = bars.add_task("products", total=len(paths))
        current = bars.add_task("", total=None)

        def show(step: str, part: int, total: int) -> None:
            bars.update(current, description=step, completed=part, total=total)

        try:
            for path in paths:
                bars.reset(current, description=f"opening {path.name}", total=None)
                began = datetime.now(UTC)
                try:
                    record = masker.mask(path, show)
                except ProducerError as error:
                    failed += 1
                    _tell_failure(bars, path, error, as_json=as_json)
                    if isinstance(error, NoSpaceError):
                        break
                else:
                    done += 1
                    _tell_notes(bars, record, noted)
                    status = "there" if record.created < began else "made"
                    typer.echo(
                        json.dumps({"source": str(path), "status": status, **_facts(record, store)})
                        if as_json
                        else f"{_in_words(record)} ({status})"
                    )
                bars.advance(whole)
        except KeyboardInterrupt:
            left = len(paths) - done - failed
            bars.console.print(f"Interrupted: {done} done, {failed} failed, {left} to do.")
            raise typer.Exit(INTERRUPTED) from None
    if done + failed < len(paths):
        bars.console.print(f"Stopped: {len(paths) - done - failed} not tried.")
    if failed:
        raise typer.Exit(1)


def products(sources: Iterable[str]) -> Iterator[Path]:
    """Find the products that the arguments mean, each once."""
    seen = set()
    for source in sources:
        for path in _listed(source):
            for product in _within(path):
                if product.absolute() not in seen:
                    seen.add(product.absolute())
                    yield product


def _listed(source: str) -> Iterator[Path]:
    if not source.startswith("@"):
        yield Path(source)
        return
    try:
        lines = Path(source[1:]).read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"the list {source[1:]} cannot be read: {error}") from error
    yield from (Path(line.strip()) for line in lines if line.strip())


def _within(path: Path) -> list[Path]:
    from producer.errors import ProductNameError
    from producer.product import ProductName

    if not path.exists():
        raise typer.BadParameter(f"{path} is not there")
    if path.is_file() or path.suffix == ".SAFE" or (path / "manifest.safe").exists():
        return [path]
    found = []
    for child in sorted(path.rglob("S2*")):
        try:
            ProductName.parse(child.name)
        except ProductNameError:
            continue
        if child.suffix in (".SAFE", ".zip"):
            found.append(child)
    if not found:
        raise typer.BadParameter(f"{path} is no product and holds none")
    return found


def _bars() -> "Bars":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total}"),
        TimeElapsedColumn(),
        console=Console(stderr=True, soft_wrap=True),
        # A pipe must get the results, which rich would take to its own console.
        redirect_stdout=sys.stdout.isatty(),
        transient=True,
    )


def _facts(record: "MaskRecord", store: "Storage") -> dict[str, Any]:
    from producer.classes import VALID_CLASSES
    from producer.layout import MASK, file_key, stem_key
    from producer.product import ProductName

    name = ProductName.parse(record.product)
    stem = stem_key(name, record.engine.name, record.engine.version)
    return {
        "product": record.product,
        "mask": store.href(file_key(stem, MASK)),
        "engine": record.engine.name,
        "engine_version": record.engine.version,
        **{value.name.lower(): round(record.share(value), 6) for value in VALID_CLASSES},
        "timings_s": record.timings_s,
    }


def _in_words(record: "MaskRecord") -> str:
    from producer.classes import CLASSES

    sky = ", ".join(
        f"{info.title.lower()} {100 * record.share(info.value):.1f} %"
        for info in CLASSES
        if info.value in record.engine.classes
    )
    return f"{record.product}: {sky}; {record.timings_s['total']:.0f} s"


def _tell_notes(bars: "Bars", record: "MaskRecord", noted: set[str]) -> None:
    for note in record.notes:
        if note not in noted:
            noted.add(note)
            bars.console.print(note, markup=False, highlight=False)


def _tell_failure(bars: "Bars", path: Path, error: "ProducerError", *, as_json: bool) -> None:
    from rich.text import Text

    bars.console.print(Text(f"Error: {error}", style="red"))
    if as_json:
        typer.echo(json.dumps({"source": str(path), "status": "failed", "error": str(error)}))
