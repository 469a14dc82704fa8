"""A season of synthetic products in a running stack: one place, many skies, two engines.

``NIMBOSTAC_HOME=... python -m tests.web.season`` fills the catalogue of that stack, for pictures
and for trying the page. The second engine is the truth, which is known of what was never sensed.
"""

import random
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deploy.settings import DeploySettings
from deploy.stack.home import Home
from ingest import pgstac, publishing
from ingest.settings import IngestSettings
from producer import engines, layout
from producer.classes import VALID_CLASSES, MaskClass
from producer.engines import EngineEntry, EngineOutput, Progress, Weights, silent
from producer.masking import Masker
from producer.product import ProductName
from producer.safe import Product
from producer.storage import Storage
from producer.synthetic import Scene, build

TILE = "33UUU"
TRUTH = "synthetic-truth"
_FIRST = datetime(2024, 3, 2, 10, 6, 1, tzinfo=UTC)
_REVISIT = timedelta(days=5)
_WIDTH_PX, _HEIGHT_PX = 1020, 780

_known: dict[str, NDArray[np.uint8]] = {}


class _Truth:
    """An engine that knows."""

    name, version, level = TRUTH, "1", "L1C"
    classes: tuple[MaskClass, ...] = VALID_CLASSES
    weights: Weights | None = None

    def mask(self, product: Product, progress: Progress = silent) -> EngineOutput:
        del progress
        return EngineOutput(_known[str(product.name)], {})


def truth_engine(level: str) -> _Truth:
    """Load what the registry names."""
    del level
    return _Truth()


def fill(store: Storage, count: int) -> None:
    """Make products, mask them by both engines, and catalogue the masks."""
    entry = EngineEntry(TRUTH, "What is there", f"{__name__}:truth_engine", ("L1C",), "producer")
    engines.ENTRIES = (*engines.ENTRIES, entry)
    maskers = [Masker(store, engine) for engine in ("ukis-csmask", TRUTH)]
    chance = random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            sensed = _FIRST + number * _REVISIT
            name = ProductName("S2A", "L1C", sensed, "0510", 22, TILE, f"{sensed:%Y%m%dT%H%M%S}")
            cloud = chance.choice((0.0, 0.0, 0.12, 0.2, 0.35, 0.5, 0.7, 0.9))
            scene = Scene(
                str(name),
                _WIDTH_PX,
                _HEIGHT_PX,
                seed=3,
                sky=number,
                cloud=cloud,
                thin_cloud=chance.choice((0.0, 0.0, 0.1, 0.2)),
            )
            built = build(Path(folder), scene)
            _known[str(name)] = built.truth
            records = [masker.mask(built.path) for masker in maskers]
            with pgstac.opened() as database:
                keys = [
                    layout.file_key(
                        layout.stem_key(name, record.engine.name, record.engine.version),
                        layout.METADATA,
                    )
                    for record in records
                ]
                publishing.publish(store, [publishing.read(store, key) for key in keys], database)
            print(f"{sensed:%Y-%m-%d} {cloud:4.0%} cloud")  # noqa: T201


def main() -> None:
    """Fill the stack that the environment names."""
    Home(DeploySettings().home_path).join()
    fill(Storage.from_url(IngestSettings().store_url), 34)


if __name__ == "__main__":
    main()
