"""What computes: its cores, and turns at it: one product at a time, the next is read meanwhile."""

import os
import threading
from collections import defaultdict

_turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
_guard = threading.Lock()


def turn(device: str) -> threading.Lock:
    """Give what to hold while a device computes, the same for all threads of this process.

    Args:
        device: Name, such as ``cpu`` or ``cuda:1``.
    """
    with _guard:
        return _turns[device]


def cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0))
