"""A stack that runs on after the command that started it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable

from deploy.errors import StackError, last_lines
from deploy.settings import DeploySettings
from deploy.stack.home import Home
from deploy.stack.state import StackState

_POLL_S = 0.1


def take_up(settings: DeploySettings, tell: Callable[[StackState], None]) -> StackState:
    """Start the stack in the background, or find it running, and wait until it is ready.

    Args:
        settings: Where and how.
        tell: Called again and again with the state.

    Raises:
        StackError: It did not get ready.
    """
    home = Home(settings.home_path)
    home.prepare()
    state = home.state()
    running = state is not None and state.supervisor is not None
    child = None if running else _start(settings, home)
    while True:
        # Looked at before the state is read: what it wrote last must not be missed.
        ended = child is not None and child.poll() is not None
        state = home.state()
        supervisor = state.supervisor if state else None
        current = state is not None and supervisor is not None
        if state is not None and supervisor is not None:
            tell(state)
            if state.state == "ready":
                return state
        if ended or (child is None and not current):
            raise StackError(_reason(home, state))
        time.sleep(_POLL_S)


def _start(settings: DeploySettings, home: Home) -> "subprocess.Popen[bytes]":
    environment = {
        **os.environ,
        "NIMBOSTAC_HOME": str(home.path),
        "NIMBOSTAC_HOST": settings.host,
        "NIMBOSTAC_API_WORKERS": str(settings.api_workers),
    }
    if settings.port is not None:
        environment["NIMBOSTAC_PORT"] = str(settings.port)
    with home.log("stack").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "deploy.stack.run"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _reason(home: Home, state: StackState | None) -> str:
    if state is not None and state.state == "failed":
        return state.message
    log = home.log("stack")
    return f"the stack ended while it started; its log, {log}, ends:\n{last_lines(log, 8)}"
