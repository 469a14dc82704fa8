"""A worker or dispatcher with the test engine, quicker to notice what went wrong than usual.

Takes the arguments of ``tests.ingest.lanes.process``.
"""

import runpy
import select
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from producer.engines import Progress

_SECONDS_EACH = 0.15


def _sleep(seconds: float) -> None:
    select.select([], [], [], seconds)


def main() -> None:
    """Work, or dispatch, until SIGTERM."""
    # A clock of libfaketime's takes no absolute time to sleep to, as Python would have it.
    time.sleep = _sleep
    # Brought by moto, which is of the tests: rasterio would ask it for credentials all the time.
    missing: Any = None
    sys.modules["boto3"] = missing

    from ingest.lanes import dispatcher, worker
    from tests.ingest.lanes import engine

    def take_a_while(
        _masker: engine.Masker, _words: list[str], _place: Path, progress: "Progress"
    ) -> None:
        for step in range(10):
            progress("infer", step, 10)
            _sleep(_SECONDS_EACH / 10)

    engine.Masker._misbehave = take_a_while  # type: ignore[method-assign]
    dispatcher._CHECK_S = 0.7
    dispatcher._TURN_S = 0.25
    worker._SWEEP_BEATS = 2
    runpy.run_module("tests.ingest.lanes.process", run_name="__main__")


if __name__ == "__main__":
    main()
