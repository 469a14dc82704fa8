"""The logs of a stack, read together."""

import time
from collections.abc import Iterator
from pathlib import Path

from deploy.errors import StackError
from deploy.stack.home import Home

_POLL_S = 0.25
_BLOCK_BYTES = 65536


def files(home: Home, part: str | None) -> dict[str, Path]:
    """Find the logs by name of the part.

    Args:
        home: Data folder of the stack.
        part: Only this one.

    Raises:
        StackError: There is no such log.
    """
    found = {path.stem: path for path in sorted(home.logs.glob("*.log"))}
    if part is None and found:
        return found
    if part in found:
        return {part: found[part]}
    if not found:
        raise StackError(f"{home.path} holds no logs: no stack has run there")
    raise StackError(f"there is no log {part!r}; there are {', '.join(found)}")


def tail(path: Path, count: int) -> tuple[list[str], int]:
    """Read the last lines of a log.

    Returns:
        The lines, and how many bytes of the file they and all before them take.
    """
    with path.open("rb") as file:
        end = start = file.seek(0, 2)
        data = b""
        while start > 0 and data.count(b"\n") <= count:
            start = max(0, start - _BLOCK_BYTES)
            file.seek(start)
            data = file.read(end - start)
    return data.decode(errors="replace").splitlines()[-count:] if count else [], end


def follow(logs: dict[str, Path], offsets: dict[str, int]) -> Iterator[tuple[str, str]]:
    """Give every new line, for ever.

    Args:
        logs: Files by name.
        offsets: How much of each has been read, bytes.

    Yields:
        Name and line.
    """
    while True:
        for name, path in logs.items():
            try:
                size_bytes = path.stat().st_size
            except FileNotFoundError:
                continue
            # A log that got shorter was put aside for a new one.
            offset = min(offsets[name], size_bytes) if size_bytes >= offsets[name] else 0
            with path.open("rb") as file:
                file.seek(offset)
                whole, newline, _ = file.read().rpartition(b"\n")
            offsets[name] = offset + len(whole) + len(newline)
            for line in whole.decode(errors="replace").splitlines():
                yield name, line
        time.sleep(_POLL_S)
