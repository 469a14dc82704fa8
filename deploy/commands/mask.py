"""``nimbostac mask``: products in, masks out; no database, queue or web server needed."""

from pathlib import Path
from typing import Annotated

import typer

from producer.options import Backend, EngineOptions, Mode, Precision

INTERRUPTED = 130


def mask(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SAFE...",
            help="SAFE folders, zips of them, folders that hold some, addresses of products"
            " (s3://, gs://, az://, https:// of a zip), or @LIST: a text file with one a line.",
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
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Check each product's own checksums first; 2 s a gigabyte."),
    ] = False,
    scratch: Annotated[
        Path | None,
        typer.Option(
            help="Folder that remote products are fetched to, two at a time;"
            " by default one in NIMBOSTAC_CACHE_DIR.",
            show_default=False,
        ),
    ] = None,
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
    from deploy.arguments import products
    from deploy.masking import Run, bars
    from producer.engines import names
    from producer.engines.choice import AUTO
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
    found = list(products(sources))
    store = Storage.from_url(output or ProducerSettings().store_url)
    options = MaskOptions(
        overwrite=overwrite,
        preview=preview,
        engine=told,
        km_names=km_names,
        verify=verify,
        scratch=scratch,
    )
    with bars() as shown:
        run = Run(Masker(store, engine, options), store, shown, as_json=as_json)
        try:
            run.mask(found)
        except KeyboardInterrupt:
            left = len(found) - run.done - run.failed
            shown.console.print(f"Interrupted: {run.done} done, {run.failed} failed, {left} to do.")
            raise typer.Exit(INTERRUPTED) from None
    if run.done + run.failed < len(found):
        shown.console.print(f"Stopped: {len(found) - run.done - run.failed} not tried.")
    if run.failed:
        raise typer.Exit(1)
