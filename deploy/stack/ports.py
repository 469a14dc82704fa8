"""Ports: chosen free once, remembered in the data folder, moved when another takes them."""

import errno
import json
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import ListenError, PortTakenError

_API = "api"
"""Name under which the port of the API is remembered."""
_API_FIRST = 8080
# Below the range that Linux hands out to outgoing connections, above what services use.
_PRIVATE = range(20000, 32000)
_TRIES = 200
_BACKLOG = 2048
"""Connections that wait while the API starts."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the private servers of one stack listen."""

    numbers: dict[str, int]
    """Port by name of the server."""
    moved: tuple[str, ...] = ()
    """Sentences on ports that had to be chosen again."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Where the API listens, from before it starts until after it stops."""

    socket: socket.socket
    port: int
    moved: tuple[str, ...] = ()
    """A sentence on a port that had to be chosen again."""


def choose(file: Path, names: tuple[str, ...]) -> Ports:
    """Give every private server its port, the one it had before wherever that is free.

    Args:
        file: Where they are remembered; written when anything changes.
        names: Servers that need one; they listen on 127.0.0.1.

    Raises:
        PortTakenError: None is free.
    """
    known = _read(file)
    numbers: dict[str, int] = {}
    moved: list[str] = []
    for name in names:
        port = known.get(name)
        if port is None or not _is_free(port):
            numbers[name] = _find(set(numbers.values()))
            if port is not None:
                moved.append(_moved(name, port, numbers[name]))
        else:
            numbers[name] = port
    _remember(file, known, numbers)
    return Ports(numbers, tuple(moved))


def listen(file: Path, host: str, port: int | None) -> Listener:
    """Listen where the API will, on the port it had before if that is free.

    A port that is only chosen is free to another stack that starts at this moment, whose API
    would be taken for ours.

    Args:
        file: Where the port is remembered; written when it changes.
        host: Address to listen on.
        port: Port that it has to be, if any.

    Raises:
        PortTakenError: That one is not free.
        ListenError: Nobody could listen there.
    """
    known = _read(file)
    before = known.get(_API)
    first = [before] if before is not None else []
    wanted = [port] if port is not None else [*first, *range(_API_FIRST, _API_FIRST + _TRIES)]
    tried = (_listening(host, number) for number in wanted)
    opened = next((listener for listener in tried if listener is not None), None)
    if opened is None:
        raise PortTakenError(host, wanted[-1])
    number: int = opened.getsockname()[1]
    _remember(file, known, {_API: number})
    moved: tuple[str, ...] = ()
    if port is None and before is not None and before != number:
        moved = (_moved(_API, before, number),)
    return Listener(opened, number, moved)


def _listening(host: str, port: int) -> socket.socket | None:
    """Listen on a port; ``None`` if another process does."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        opened = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return None
        raise ListenError(host, port, error) from error
    # Inherited by every connection; the server that takes it over leaves it as it is.
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return opened


def _is_free(port: int) -> bool:
    """Tell whether a private server could listen there now."""
    with socket.socket() as probe:
        # As every server does: connections that were closed just now are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _find(taken: set[int]) -> int:
    for _ in range(_TRIES):
        # Not for people to type, only nobody else's.
        port = secrets.choice(_PRIVATE)
        if port not in taken and _is_free(port):
            return port
    raise PortTakenError("127.0.0.1", _PRIVATE.start)


def _moved(name: str, before: int, port: int) -> str:
    return f"port {before} is taken by another process; {name} moves to port {port}"


def _remember(file: Path, known: dict[str, int], numbers: dict[str, int]) -> None:
    if known != {**known, **numbers}:
        file.write_text(json.dumps({**known, **numbers}))


def _read(file: Path) -> dict[str, int]:
    try:
        numbers = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return {str(name): int(port) for name, port in numbers.items()}
