"""A wire to a server that can be cut: what goes over it is lost when its process is killed.

``python -m tests.faults.wire PORT TARGET``
"""

import asyncio
import sys
from contextlib import suppress


async def main(port: int, target: int) -> None:
    """Carry bytes both ways until killed."""

    async def connected(here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        there, forth = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(carry(here, forth), carry(there, back))

    async def carry(source: asyncio.StreamReader, drain: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                drain.write(data)
                await drain.drain()
        with suppress(OSError):
            drain.close()

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
