"""Options that several commands about backfills share."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

Id = Annotated[str, typer.Argument(metavar="ID", help="As `nimbostac backfill list` names it.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]
Engine = Annotated[
    str,
    typer.Option(
        help="Which engine masks: kappamask, ukis-csmask, or auto: kappamask if its weights"
        " are there or can be fetched, else ukis-csmask. Decided once, now."
    ),
]
Priority = Annotated[
    int, typer.Option(min=0, max=9, help="0 goes before everything, 9 after everything.")
]
Source = Annotated[
    str,
    typer.Option(
        help="Where products are looked for: a folder tree such as /eodata/Sentinel-2/MSI/L1C,"
        " s3://bucket/prefix, the https:// address of a STAC API, or @LIST: a text file of"
        " names, paths or addresses, one a line.",
        show_default=False,
    ),
]
Collection = Annotated[
    list[str] | None,
    typer.Option(help="STAC: search this Collection; may be repeated.", show_default=False),
]
Asset = Annotated[
    str | None,
    typer.Option(
        help="STAC: key of the asset that is the product; by default whichever names it.",
        show_default=False,
    ),
]
Root = Annotated[
    str | None,
    typer.Option(
        help="STAC and lists: what holds Sentinel-2/MSI, such as /eodata or s3://eodata;"
        " products lie in it by level and day.",
        show_default=False,
    ),
]
Start = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="First day of sensing, UTC.", show_default=False),
]
End = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="Last day, itself included.", show_default=False),
]
Tile = Annotated[
    list[str] | None,
    typer.Option(help="MGRS tile such as 33UUU; may be repeated.", show_default=False),
]
Box = Annotated[
    str | None,
    typer.Option(
        metavar="W,S,E,N",
        help="Degrees; west is greater than east across the antimeridian.",
        show_default=False,
    ),
]
Aoi = Annotated[Path | None, typer.Option(help="GeoJSON file with a polygon.", show_default=False)]
Level = Annotated[str | None, typer.Option(help="L1C or L2A.", show_default=False)]
Baseline = Annotated[
    str | None,
    typer.Option(help="Oldest processing baseline, such as 04.00.", show_default=False),
]
MaxCloud = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=100,
        help="Per cent of the tile. Only STAC APIs tell it; what is unknown is kept.",
        show_default=False,
    ),
]
