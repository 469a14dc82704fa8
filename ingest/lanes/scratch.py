"""Scratch: the folder that remote products lie in between being fetched and being masked."""

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

from ingest.errors import ScratchFullError
from ingest.lanes.queues import Pair
from ingest.ledger import Task
from ingest.settings import IngestSettings

logger = logging.getLogger(__name__)


class Scratch:
    """A folder a task, named by its id and turn; shared by the workers that stage and mask."""

    def __init__(self, settings: IngestSettings) -> None:
        """Name it; it is made when it is needed.

        Args:
            settings: Where it is, and how much may lie in it.
        """
        self._folder = settings.scratch.expanduser().absolute()
        self._keep_free_bytes = int(settings.scratch_free_gib * 2**30)
        self._most = settings.scratch_products

    def free_bytes(self) -> int:
        """Tell how much room there is."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(self._folder).free

    def room(self) -> int:
        """Tell how many more products may be fetched."""
        if self.free_bytes() < self._keep_free_bytes:
            return 0
        return max(0, self._most - sum(1 for _ in self.tasks()))

    def folder(self, task: Task) -> Path:
        """Make the folder of a task that is being staged.

        Raises:
            ScratchFullError: There is too little room.
        """
        if self.free_bytes() < self._keep_free_bytes:
            raise ScratchFullError(self._folder, self._keep_free_bytes)
        made = self.folder_of((task.id, task.turn))
        for (number, _), folder in self.tasks():
            if number == task.id and not made.exists():
                # What an earlier turn fetched is not fetched again.
                folder.rename(made)
        made.mkdir(exist_ok=True)
        return made

    def folder_of(self, pair: Pair) -> Path:
        """Say where a task would be staged."""
        number, turn = pair
        return self._folder / f"{number}-{turn}"

    def remove(self, staged: str) -> None:
        """Remove what was staged, the folder of its task with it."""
        place = Path(staged)
        # What the ledger says may be of another machine, or of another time.
        if place.is_relative_to(self._folder) and place != self._folder:
            own = place.relative_to(self._folder).parts[0]
            shutil.rmtree(self._folder / own, ignore_errors=True)

    def tasks(self) -> Iterator[tuple[Pair, Path]]:
        """Go through the folders that lie here, by the id and turn of their tasks."""
        if not self._folder.is_dir():
            return
        for folder in self._folder.iterdir():
            number, _, turn = folder.name.partition("-")
            if number.isdecimal() and turn.isdecimal():
                yield (int(number), int(turn)), folder
