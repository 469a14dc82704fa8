"""The life of a stack: taken up, left running, taken down."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable

from deploy.errors import DeployError, StackDownError, StackError
from deploy.settings import DeploySettings
from deploy.stack import plan, postgres
from deploy.stack.home import Home
from deploy.stack.processes import ProcessId
from deploy.stack.state import StackState
from deploy.stack.supervisor import Supervisor

logger = logging.getLogger(__name__)

_STOP_TIMEOUT_S = 30.0
_DOWN_TIMEOUT_S = 150.0


def supervise(settings: DeploySettings, tell: Callable[[StackState], None]) -> None:
    """Run the stack until a signal ends it.

    Args:
        settings: Where and how.
        tell: Called with the new state after every change.

    Raises:
        StackRunsError: Another process runs it.
        StackError: It cannot be run.
    """
    home = Home(settings.home_path)
    home.prepare()
    with home.locked():
        own = ProcessId.of(os.getpid())
        outline = StackState(
            state="starting",
            message="what a killed stack left behind",
            pid=own.pid if own else None,
            started_ticks=own.started_ticks if own else None,
        )

        def publish(state: StackState) -> None:
            state.write(home.state_file)
            tell(state)

        end_leftovers(home)
        publish(outline.model_copy(update={"message": "data folder and ports"}))
        try:
            made = plan.make(settings, home)
            for sentence in made.moved:
                logger.warning("%s", sentence)
            outline = outline.model_copy(
                update={
                    "url": made.url,
                    "addresses": made.addresses(home),
                    "parts": tuple(made.external),
                }
            )
            home.publish(made.environment)
            asyncio.run(_until_signal(Supervisor(tuple(made.stages), outline, publish)))
        except StackError as error:
            logger.error("%s", error)  # noqa: TRY400 - an expected end; where it arose tells nothing
            publish(outline.model_copy(update={"state": "failed", "message": str(error)}))
            raise
        finally:
            home.environment_file.unlink(missing_ok=True)
        publish(outline.model_copy(update={"state": "stopped", "message": "", "parts": ()}))


async def _until_signal(supervisor: Supervisor) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    await supervisor.run(stop)


def current(home: Home) -> StackState:
    """Say how the stack is; one whose supervisor is gone is stopped, whatever it last said."""
    state = home.state()
    if state is not None and state.supervisor is not None:
        return state
    left = [
        part.model_copy(update={"state": "left behind"})
        for part in (state.parts if state else ())
        if part.process is not None and part.process.alive()
    ]
    return StackState(state="stopped", parts=tuple(left))


def take_down(home: Home) -> None:
    """Stop the stack, or what a killed supervisor left of it.

    Raises:
        StackDownError: Nothing of it runs.
        StackError: It does not stop.
    """
    state = home.state()
    supervisor = state.supervisor if state else None
    if supervisor is None:
        if not end_leftovers(home):
            raise StackDownError(home.path)
        return
    supervisor.send(signal.SIGTERM)
    if not supervisor.wait(_DOWN_TIMEOUT_S):
        raise StackError(
            f"process {supervisor.pid} did not stop the stack in {_DOWN_TIMEOUT_S:.0f} s;"
            f" see {home.log('stack')}"
        )


def end_leftovers(home: Home) -> bool:
    """Stop parts whose supervisor is gone, in the order of a stop; tells whether there were any.

    To be called where no supervisor runs.
    """
    state = home.state()
    found = False
    for part in reversed(state.parts if state else ()):
        process = part.process
        if process is not None and process.alive():
            logger.warning("%s (process %d) was left behind; it is stopped", part.title, part.pid)
            number = postgres.STOP_SIGNAL if part.name == "postgres" else signal.SIGTERM
            process.end(number, _STOP_TIMEOUT_S)
            found = True
    server = postgres.leftover(home.postgres)
    if server is not None:
        logger.warning("PostgreSQL (process %d) was left behind; it is stopped", server.pid)
        server.end(postgres.STOP_SIGNAL, _STOP_TIMEOUT_S)
        found = True
    if state is not None and state.state != "failed":
        state.model_copy(update={"state": "stopped", "message": "", "parts": ()}).write(
            home.state_file
        )
    return found


def main() -> None:
    """Run the stack in the background: everything that happens goes to standard error."""
    logging.basicConfig(level=logging.WARNING, format=LOG_FORMAT, stream=sys.stderr)
    with contextlib.suppress(DeployError):
        # Told already: in the log, and in the state that whoever started us reads.
        supervise(DeploySettings(), lambda _: None)
        return
    sys.exit(1)


LOG_FORMAT = "%(asctime)s %(levelname)s %(message)s"
"""Lines of the supervisor's log."""

if __name__ == "__main__":
    main()
