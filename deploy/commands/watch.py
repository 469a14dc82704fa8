"""``nimbostac watch``: follow a source for new products."""

from typing import Annotated

import typer

from deploy.backfills.options import (
    Aoi,
    Asset,
    Baseline,
    Box,
    Collection,
    Engine,
    Level,
    MaxCloud,
    Root,
    Source,
    Start,
    Tile,
)


def watch(
    source: Source,
    collection: Collection = None,
    asset: Asset = None,
    root: Root = None,
    start: Start = None,
    tile: Tile = None,
    bbox: Box = None,
    aoi: Aoi = None,
    level: Level = None,
    baseline: Baseline = None,
    max_cloud: MaxCloud = None,
    engine: Engine = "auto",
    every_s: Annotated[
        int, typer.Option("--every", min=1, help="Seconds between two looks, up to a day.")
    ] = 600,
    lookback_days: Annotated[
        int,
        typer.Option(
            "--lookback",
            min=1,
            help="Days before the last look that are looked at again: products come late.",
        ),
    ] = 14,
    once: Annotated[bool, typer.Option("--once", help="Look once, and end.")] = False,
) -> None:
    """Look for new products again and again; they go before every backfill.

    Started again with the same options, it goes on where it was. Several may run, on different
    machines: one looks each time. It is listed among the backfills, where it can be paused,
    resumed and aborted. SIGTERM ends the process, not the watch.
    """
    import logging

    from deploy.backfills import asking, doing
    from ingest import ledger
    from ingest.backfills import watching
    from ingest.settings import IngestSettings

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    # Says of each look what is said better here.
    logging.getLogger("arq.worker").setLevel(logging.WARNING)
    place = asking.SourceOptions(source, collection or (), asset, root).place()
    filters = asking.FilterOptions(
        start, None, tile or (), bbox, aoi, level, baseline, max_cloud
    ).described()
    spec = asking.read(
        {
            "kind": "watch",
            "source": place,
            "filters": filters,
            "engine": engine,
            "priority": 0,
            "lookback_days": lookback_days,
        }
    )
    with ledger.opened() as book:
        made = watching.begin(book, spec, doing.me())
    typer.echo(f"watch {made.id}: {made.name}, masked by {made.engine}", err=True)
    if once:
        watching.look_if_on(made.id)
    else:
        watching.run(IngestSettings(), made.id, every_s)
