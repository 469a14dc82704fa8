"""A bucket for tests: a real server that speaks S3, in this process."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import Request, urlopen

import pytest
from moto.server import ThreadedMotoServer

_REGION = "eu-central-1"


@contextmanager
def bucket(name: str) -> Iterator[str]:
    """Serve an empty bucket while the block runs; gives its address, ``s3://name``.

    The environment says how to reach it, as it would for any bucket.
    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        _, port = server.get_host_and_port()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
            patch.setenv("AWS_ACCESS_KEY_ID", "any")
            patch.setenv("AWS_SECRET_ACCESS_KEY", "any")
            patch.setenv("AWS_REGION", _REGION)
            patch.setenv("AWS_ALLOW_HTTP", "true")
            _request(port, "POST", "moto-api/reset")
            _request(port, "PUT", name, _location())
            yield f"s3://{name}"
    finally:
        server.stop()


def _location() -> bytes:
    inner = f"<LocationConstraint>{_REGION}</LocationConstraint>"
    return f"<CreateBucketConfiguration>{inner}</CreateBucketConfiguration>".encode()


def _request(port: int, method: str, path: str, body: bytes = b"") -> None:
    urlopen(Request(f"http://127.0.0.1:{port}/{path}", body, method=method)).close()
