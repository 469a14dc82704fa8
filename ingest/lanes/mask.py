"""The mask lane: products to masks in storage, by engines that stay loaded."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from ingest import publishing
from ingest.errors import SourceGoneError
from ingest.lanes.holdings import Held
from ingest.lanes.jobs import Ending, Step
from ingest.lanes.scratch import Scratch
from ingest.ledger import Lane, Task
from ingest.publishing import Found
from producer import staging
from producer.engines import Progress
from producer.layout import METADATA, file_key, stem_key
from producer.product import ProductName
from producer.record import MaskRecord
from producer.storage import Storage

logger = logging.getLogger(__name__)


class Masker(Protocol):
    """What a job needs of the producer; the worker brings the real one, a test a fake."""

    def mask(self, source: str, progress: Progress, *, origin: str | None = None) -> MaskRecord:
        """Mask one product and store the mask, or read the record of one that is there.

        Called by several threads at once where products overlap.
        """


class MaskWork:
    """Masks one product."""

    def __init__(
        self, store: Storage, load_masker: Callable[[str], Masker], scratch: Scratch
    ) -> None:
        """Load nothing yet.

        Args:
            store: Where masks go.
            load_masker: Gives the masker of an engine by name; called once an engine.
            scratch: Where staged products lie.
        """
        self._store = store
        self._load_masker = load_masker
        self._scratch = scratch
        self._maskers: dict[str, Masker] = {}
        self._loading = threading.Lock()

    def do(self, held: Held) -> Step:
        """Mask it and say where its record lies; one that must be fetched first goes back.

        Its Item is written too, so that publishers, who are few, need not.

        Raises:
            SourceGoneError: It is not where it was.
            ProducerError: It cannot be masked, or the mask not be stored.
        """
        (task,) = held.tasks
        place = self._place(task)
        if place is None:
            if task.staged is not None:
                logger.warning("%s: %s is gone; fetched again", task.product, task.staged)
            return Step(Lane.STAGE)
        origin = None if task.staged is None else task.source
        record = self._masker(task.engine).mask(place, held.tell, origin=origin)
        stem = stem_key(
            ProductName.parse(record.product), record.engine.name, record.engine.version
        )
        found = Found(file_key(stem, METADATA), record)
        publishing.write_item(self._store, found)
        return Step(
            Lane.PUBLISH,
            record=found.key,
            version=record.engine.version,
            timings=record.timings_s,
        )

    def leave(self, task: Task, ending: Ending) -> None:
        """Remove what was staged, unless another worker may be at it."""
        if task.staged is not None and ending != "lost":
            self._scratch.remove(task.staged)

    def _place(self, task: Task) -> str | None:
        """Say where to read the product; ``None`` if it must be fetched."""
        if staging.is_remote(task.source):
            return task.staged if task.staged and Path(task.staged).exists() else None
        if not Path(task.source).exists():
            raise SourceGoneError(task.source)
        return task.source

    def _masker(self, engine: str) -> Masker:
        with self._loading:
            if engine not in self._maskers:
                self._maskers[engine] = self._load_masker(engine)
            return self._maskers[engine]
