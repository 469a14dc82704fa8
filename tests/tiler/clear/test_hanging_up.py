"""A client that goes away, over a real connection to a real server."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import uvicorn
from fastapi import FastAPI
from shapely.geometry import Polygon, mapping

from producer.storage import Storage
from tests.servers import free_port, wait_for_port
from tests.tiler.scenes import Scene, catalogue, landscape, store_scene
from tiler.app import create_app
from tiler.clear.coverage import Field
from tiler.clear.fractions import Fractions
from tiler.clear.measuring import Meter
from tiler.items import StoredAsset
from tiler.settings import TilerSettings

ITEMS = 60


@contextmanager
def served(app: FastAPI) -> Iterator[int]:
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_for_port(port)
        yield port
    finally:
        server.should_exit = True
        thread.join()


def test_nobody_works_for_a_client_that_has_hung_up(
    catalogued: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene("0", 32633, 399960, 5900040, landscape(512, 512))
    first = store_scene(scene, catalogued)
    catalogue(
        *(
            {
                **first,
                "id": str(number),
                "properties": {
                    **first["properties"],
                    "datetime": f"{scene.sensed + timedelta(days=number):%Y-%m-%dT%H:%M:%SZ}",
                },
            }
            for number in range(ITEMS)
        )
    )
    begun, looked = threading.Event(), list[str]()
    measure = Meter.fractions

    def slow(meter: Meter, asset: StoredAsset, field: Field) -> Fractions:
        begun.set()
        looked.append(asset.version)
        time.sleep(0.05)
        return measure(meter, asset, field)

    monkeypatch.setattr(Meter, "fractions", slow)
    polygon = mapping(Polygon(scene.footprint()))
    body = json.dumps({"intersects": polygon}).encode()
    head = (
        "POST /clear HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    app = create_app(TilerSettings(clear_threads=1, clear_requests=1, clear_queue=0))
    with served(app) as port:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(head.encode() + body)
            assert begun.wait(30)
        end = time.monotonic() + 30
        while app.state.clear.pool.present and time.monotonic() < end:
            time.sleep(0.01)
        # There is one place, and it is free again.
        assert app.state.clear.pool.present == 0
        done = len(looked)
        assert done < ITEMS / 2
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(head.encode() + body)
            assert connection.recv(12) == b"HTTP/1.1 200"
    # A step that had begun was ended.
    assert done + ITEMS <= len(looked) <= done + ITEMS + 1
