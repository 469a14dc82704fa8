"""What the database said, remembered for no longer than was agreed."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Fresh(Generic[Key, Value]):
    """Answers by question, bounded in number and in age.

    One thread asks while the others that have the same question wait for its answer.
    """

    def __init__(
        self,
        ask: Callable[[Key], Value],
        stamp: Callable[[], str],
        age_s: float,
        most: int,
        weigh: Callable[[Value], int] = lambda _: 1,
    ) -> None:
        """Remember what a function says.

        Args:
            ask: Gives the answer; what it raises is passed on and not remembered.
            stamp: Gives the same text again as long as no answer can have changed.
            age_s: How long an answer counts.
            most: How much is kept, as all of them weigh together.
            weigh: Gives the weight of an answer; each counts as one without it.
        """
        self._stamp = stamp
        self._ask = ask
        self._age_s = age_s
        self._most = most
        self._weigh = weigh
        self._weight = 0
        self._lock = threading.Lock()
        self._known: OrderedDict[Key, tuple[float, str, Value]] = OrderedDict()
        self._asking: dict[Key, threading.Lock] = {}

    def fresh(self, key: Key) -> Value | None:
        """Give an answer that is known and young enough, without asking."""
        found = self._known.get(key)
        if found is None or time.monotonic() - found[0] > self._age_s:
            return None
        return found[2]

    def get(self, key: Key) -> Value:
        """Give an answer, and ask for it if need be."""
        known = self.fresh(key)
        if known is not None:
            return known
        with self._lock:
            asking = self._asking.setdefault(key, threading.Lock())
        try:
            with asking:
                known = self.fresh(key)
                if known is not None:
                    return known
                return self._asked(key)
        finally:
            with self._lock:
                self._asking.pop(key, None)

    def _asked(self, key: Key) -> Value:
        # The age counts from before the question: the answer may be that old.
        asked = time.monotonic()
        try:
            stamp = self._stamp()
            old = self._known.get(key)
            answer = old[2] if old is not None and old[1] == stamp else self._ask(key)
        except Exception:
            with self._lock:
                self._drop(key)
            raise
        with self._lock:
            self._drop(key)
            self._known[key] = (asked, stamp, answer)
            self._weight += self._weigh(answer)
            while self._weight > self._most and len(self._known) > 1:
                self._drop(next(iter(self._known)))
        return answer

    def _drop(self, key: Key) -> None:
        found = self._known.pop(key, None)
        if found is not None:
            self._weight -= self._weigh(found[2])
