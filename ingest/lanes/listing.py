"""The listing of backfills beside the dispatching: in a thread of its own, never in its way."""

import threading

from ingest.backfills import listing


class Listing:
    """Lists while it is on."""

    def __init__(self) -> None:
        self._stop: threading.Event | None = None

    def turn(self, *, on: bool) -> None:
        """Start or stop; a page that is being listed when it stops is still finished.

        Two that list at once, for a moment, harm nothing: a page is noted by one of them only.
        """
        if on and self._stop is None:
            self._stop = threading.Event()
            # A daemon: a source that does not answer must not keep a process from ending.
            threading.Thread(
                target=listing.work, args=(self._stop,), name="listing", daemon=True
            ).start()
        elif not on and self._stop is not None:
            self._stop.set()
            self._stop = None
