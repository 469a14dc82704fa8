"""Tile servers as processes, and clients that share the machine with them."""

import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import servers

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Client:
    """One connection; as little work as a client can do, as it shares the machine."""

    def __init__(self, port: int, paths: Sequence[str]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._paths = iter(paths)
        self._data = b""
        self._started = 0.0
        self.seconds: list[float] = []

    def ask(self) -> bool:
        """Ask for the next path; whether there was one."""
        path = next(self._paths, None)
        if path is None:
            self.socket.close()
            return False
        self._data = b""
        self._started = time.perf_counter()
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
        return True

    def hear(self) -> bool:
        """Take what has come; whether the answer is whole.

        Raises:
            RuntimeError: It is anything but a 200.
        """
        part = self.socket.recv(1 << 18)
        self._data += part
        end = self._data.find(b"\r\n\r\n")
        if end < 0 and part:
            return False
        head = self._data[:end].lower()
        if b" 200 " not in head[:20]:
            raise RuntimeError(f"{self._data[:400]!r}")
        start = head.index(b"content-length:") + len(b"content-length:")
        length = int(head[start:].split(b"\r\n", 1)[0])
        if len(self._data) < end + 4 + length:
            return False
        self.seconds.append(time.perf_counter() - self._started)
        return True


@dataclass(frozen=True)
class Server:
    """A running tile server."""

    name: str
    port: int
    query: str
    pid: int

    def seconds(self, paths: Sequence[str], clients: int = 1) -> list[float]:
        """Fetch all paths, by some clients at once; gives total, then seconds each."""
        whole = [path + self.query for path in paths]
        crowd = [Client(self.port, whole[number::clients]) for number in range(clients)]
        begin = time.perf_counter()
        with selectors.DefaultSelector() as waiting:
            for client in crowd:
                if client.ask():
                    waiting.register(client.socket, selectors.EVENT_READ, client)
            while waiting.get_map():
                for key, _ in waiting.select():
                    client = key.data
                    if client.hear():
                        waiting.unregister(client.socket)
                        if client.ask():
                            waiting.register(client.socket, selectors.EVENT_READ, client)
        total = time.perf_counter() - begin
        return [total, *(second for client in crowd for second in client.seconds)]

    def cpu_s(self) -> float:
        """Tell the processor time that the process has had, of all its threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S

    def resident_mib(self) -> float:
        """Tell the memory that the process holds."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * _PAGE_BYTES / 2**20


@contextmanager
def uvicorn(name: str, *app: str, query: str) -> Iterator[Server]:
    """Run one server process while the block runs."""
    port = servers.free_port()
    options = ["--port", str(port), "--log-level", "error", "--no-access-log"]
    process = subprocess.Popen([sys.executable, "-m", "uvicorn", *app, *options])
    try:
        servers.wait_for_port(port)
        yield Server(name, port, query, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
