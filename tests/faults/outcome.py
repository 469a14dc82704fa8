"""What a site has in the end, and how that differs from what it ought to have."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from rasterio.io import MemoryFile

from tests.faults.site import Site


@dataclass(frozen=True)
class End:
    """Everything that is to be the same after any disturbance."""

    files: dict[str, str]
    """SHA-256 of every file in storage, by key."""
    pixels: dict[str, list[int]]
    """How often each class is in each mask, read by rasterio."""
    items: dict[str, list[Any]]
    """Contents of the rows that pgstac has of each Item."""
    ledger: dict[str, tuple[Any, ...]]
    """State, version, record and error of each product."""
    scratch: list[str]
    """What lies in scratch."""


@dataclass(frozen=True)
class Difference:
    """How one end differs from another."""

    lost: tuple[str, ...]
    """Products that are not all the way done."""
    doubled: tuple[str, ...]
    """Products that something is there twice of."""
    other: tuple[str, ...]
    """Anything else, in words."""

    def __bool__(self) -> bool:
        return bool(self.lost or self.doubled or self.other)


def end(site: Site) -> End:
    """Look at everything that a site has."""
    contents = {one.key: site.store.get(one.key) for one in site.store.list()}
    with psycopg.connect(autocommit=True) as connection:
        rows = connection.execute("SELECT id, content FROM pgstac.items ORDER BY id").fetchall()
        told = connection.execute(
            "SELECT product, state::text, engine_version, record, error FROM ledger.products"
        ).fetchall()
    items: dict[str, list[Any]] = {}
    for item, content in rows:
        items.setdefault(item, []).append(content)
    return End(
        files={key: hashlib.sha256(data).hexdigest() for key, data in contents.items()},
        pixels={key: _counts(data) for key, data in contents.items() if key.endswith("0.tif")},
        items=items,
        ledger={product: tuple(rest) for product, *rest in told},
        scratch=sorted(
            str(path.relative_to(site.scratch.folder)) for path in site.scratch.folder.rglob("*")
        ),
    )


def compare(undisturbed: End, disturbed: End) -> Difference:
    """Tell what a disturbance has changed."""
    lost: set[str] = set()
    for product, row in undisturbed.ledger.items():
        same = disturbed.ledger.get(product) == row and disturbed.items.get(product)
        if not same:
            lost.add(product)
    lost |= {_product(key) for key in undisturbed.files.keys() - disturbed.files.keys()}
    records = Counter(_product(key) for key in disturbed.pixels)
    doubled = {product for product, rows in disturbed.items.items() if len(rows) > 1}
    doubled |= {product for product, count in records.items() if count > 1}
    other = [
        f"{name} differs: {key}"
        for name in ("files", "pixels", "items", "ledger")
        for key, value in getattr(disturbed, name).items()
        if getattr(undisturbed, name).get(key) != value
    ]
    other += [f"left in scratch: {path}" for path in disturbed.scratch]
    return Difference(tuple(sorted(lost)), tuple(sorted(doubled)), tuple(other))


def _product(key: str) -> str:
    return key.split("/")[-2] if "/" in key else key


def _counts(data: bytes) -> list[int]:
    with MemoryFile(data) as file, file.open() as mask:
        return np.bincount(mask.read(1).ravel(), minlength=6).tolist()  # type: ignore[no-any-return]
