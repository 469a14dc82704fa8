"""``nimbostac clear``: when was the sky over a field clear?"""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tiler.clear.desk import Desk
    from tiler.clear.question import ClearSearch
    from tiler.clear.rows import Row


def clear(
    aoi: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="GeoJSON with a polygon: a geometry, a feature, or a collection whose polygons"
            " are taken together; - reads standard input.",
            exists=True,
            dir_okay=False,
            allow_dash=True,
        ),
    ],
    start: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="First day, such as 2024-05-01.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last day.")] = None,
    collection: Annotated[
        list[str] | None, typer.Option(help="Collection to look in; may be repeated.")
    ] = None,
    min_clear: Annotated[
        float | None, typer.Option(min=0, max=1, help="Least share of clear sky, 0 to 1.")
    ] = None,
    best: Annotated[
        int | None,
        typer.Option(min=1, max=1000, help="Only so many, those that saw most of it clear."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A STAC ItemCollection.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="A table.")] = False,
) -> None:
    """Tell how clear the sky was over a polygon, acquisition by acquisition.

    Counts the masks' own pixels within the polygon. The products of one datatake that it straddles
    are one acquisition.
    """
    from pydantic import ValidationError

    from tiler.clear.desk import opened
    from tiler.clear.question import ClearSearch

    if as_json and as_csv:
        raise typer.BadParameter("one of --json and --csv")
    said = {
        "intersects": polygon_of(aoi),
        "datetime": _interval(start, end),
        "collections": collection,
        "min_clear": min_clear,
        "best": best,
        "group": "acquisition",
        "limit": 1000,
    }
    try:
        question = ClearSearch.model_validate({k: v for k, v in said.items() if v is not None})
    except ValidationError as error:
        raise typer.BadParameter(error.errors()[0]["msg"]) from error
    with opened() as desk:
        rows = _rows(desk, question)
        if as_json:
            typer.echo(json.dumps(_collection(desk, rows)))
        else:
            _tell(rows, as_csv=as_csv)


def polygon_of(path: Path) -> dict[str, Any]:
    """Read the polygons of a GeoJSON file as one geometry.

    Raises:
        BadParameter: It is no GeoJSON, or holds no polygon.
    """
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text()
        document = json.loads(text)
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{path} is no GeoJSON: {error}", param_hint="--aoi") from error
    polygons: list[Any] = []
    _collect(document, polygons)
    if not polygons:
        raise typer.BadParameter(f"{path} holds no polygon", param_hint="--aoi")
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}


def _collect(document: object, polygons: list[Any]) -> None:
    if not isinstance(document, dict):
        return
    for part in (*document.get("features", ()), *document.get("geometries", ())):
        _collect(part, polygons)
    _collect(document.get("geometry"), polygons)
    if document.get("type") == "Polygon":
        polygons.append(document["coordinates"])
    elif document.get("type") == "MultiPolygon":
        polygons += document["coordinates"]


def _interval(start: str | None, end: str | None) -> str | None:
    if start is None and end is None:
        return None
    # A day is meant from its beginning to its end.
    first = start if start is None or "T" in start else f"{start}T00:00:00Z"
    last = end if end is None or "T" in end else f"{end}T23:59:59.999Z"
    return f"{first or '..'}/{last or '..'}"


def _rows(desk: "Desk", question: "ClearSearch") -> "list[Row]":
    rows: list[Row] = []
    while True:
        answer = desk.search(question, desk.work())
        rows += answer.rows
        if answer.token is None:
            return rows
        question = question.model_copy(update={"token": answer.token})


def _collection(desk: "Desk", rows: "Sequence[Row]") -> dict[str, Any]:
    from tiler.clear.features import Features

    items = desk.catalogue.items([row.first.key for row in rows], desk.work().left_s())
    # Nobody serves these: links would lead nowhere, and a file's own address is of more use.
    features = Features(None, None).page(rows, items)
    return {"type": "FeatureCollection", "features": features}


def _tell(rows: "Sequence[Row]", *, as_csv: bool) -> None:
    from tiler.clear.timeseries import Series

    if as_csv:
        typer.echo(Series.of(rows).csv(), nl=False)
        return
    if not rows:
        typer.echo("No product of the catalogue meets this.", err=True)
    for row in rows:
        fractions = row.fractions
        if fractions.clear is None:
            sky = row.problem or "nothing was seen of it"
        else:
            shares = (
                f"{name.replace('_', ' ')} {share:.0%}"
                for name, share in fractions.by_class().items()
                if share
            )
            off = f", within {fractions.error:.1%}" if fractions.error else ""
            sky = f"{', '.join(shares)}; {fractions.coverage:.0%} covered{off}"
        names = " ".join(product.id for product in row.products)
        typer.echo(f"{row.datetime[:16].replace('T', ' ')}  {sky}  {names}")
