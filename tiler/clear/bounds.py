"""How large the body of a request may be."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response
from typing_extensions import override

from tiler.errors import LimitError

BODY_BYTES = 8 * 1024 * 1024
"""Largest body of a request: polygons of far more vertices than are let in."""


class BoundedRoute(APIRoute):
    """Refuses a body that is too large before it is read."""

    @override
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def bounded(request: Request) -> Response:
            said = request.headers.get("content-length", "")
            if request.method == "POST" and not said.isdecimal():
                raise LimitError("bytes of a body of unknown length", "any number", BODY_BYTES)
            if said.isdecimal() and int(said) > BODY_BYTES:
                raise LimitError("bytes of the body", said, BODY_BYTES)
            return await answer(request)

        return bounded
