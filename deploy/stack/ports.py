"""Ports: chosen free once, remembered in the data folder, moved when another takes them."""

import json
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import PortTakenError

_API_FIRST = 8080
# Below the range that Linux hands out to outgoing connections, above what services use.
_PRIVATE = range(20000, 32000)
_TRIES = 200


@dataclass(frozen=True, slots=True)
class Ports:
    """Where each part of one stack listens."""

    numbers: dict[str, int]
    """Port by name of the part."""
    moved: tuple[str, ...] = ()
    """Sentences on ports that had to be chosen again."""


def choose(file: Path, names: tuple[str, ...], host: str, api_port: int | None) -> Ports:
    """Give every part its port, the one it had before wherever that is free.

    Args:
        file: Where they are remembered; written when anything changes.
        names: Parts that need one.
        host: Address that the API listens on; the others listen on 127.0.0.1.
        api_port: Port that the API has to have, if any.

    Raises:
        PortTakenError: That one is not free.
    """
    known = _read(file)
    numbers: dict[str, int] = {}
    moved: list[str] = []
    for name in names:
        address = host if name == "api" else "127.0.0.1"
        if name == "api" and api_port is not None:
            if not is_free(host, api_port):
                raise PortTakenError(host, api_port)
            numbers[name] = api_port
            continue
        port = known.get(name)
        if port is None or not is_free(address, port):
            numbers[name] = _find(name, address, set(numbers.values()))
            if port is not None:
                moved.append(
                    f"port {port} is taken by another process; {name} moves to port {numbers[name]}"
                )
        else:
            numbers[name] = port
    if known != {**known, **numbers}:
        file.write_text(json.dumps({**known, **numbers}))
    return Ports(numbers, tuple(moved))


def is_free(host: str, port: int) -> bool:
    """Tell whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As every server does: connections that were closed just now are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def _find(name: str, host: str, taken: set[int]) -> int:
    for attempt in range(_TRIES):
        # The API's is for people to type; the others only have to be nobody else's.
        port = _API_FIRST + attempt if name == "api" else secrets.choice(_PRIVATE)
        if port not in taken and is_free(host, port):
            return port
    raise PortTakenError(host, _API_FIRST)


def _read(file: Path) -> dict[str, int]:
    try:
        numbers = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return {str(name): int(port) for name, port in numbers.items()}
