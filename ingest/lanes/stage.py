"""The stage lane: remote products fetched to scratch, whole or not at all."""

import time

from ingest.lanes.holdings import Held
from ingest.lanes.jobs import Ending, Step
from ingest.lanes.scratch import Scratch
from ingest.ledger import Lane, Task
from producer import staging


class StageWork:
    """Fetches one product."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch

    def do(self, held: Held) -> Step:
        """Fetch it into a folder of this task and turn.

        Raises:
            ScratchFullError: There is too little room.
            ProducerError: It cannot be fetched.
        """
        (task,) = held.tasks
        began = time.perf_counter()
        place = staging.fetch(task.source, self._scratch.folder(task), held.tell)
        size = sum(file.stat().st_size for file in (place, *place.rglob("*")) if file.is_file())
        seconds = {"stage": round(time.perf_counter() - began, 3)}
        return Step(Lane.MASK, staged=str(place), bytes=size, timings=seconds)

    def leave(self, task: Task, ending: Ending) -> None:
        """Remove what nobody will mask; the folder is of this turn, so nobody else's."""
        if ending != "done":
            self._scratch.remove(str(self._scratch.folder_of((task.id, task.turn))))
