"""How a stack is shown to a person: progress, addresses, a table of its parts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from deploy.stack.state import StackState, now

_STYLES = {
    "running": "green",
    "ready": "green",
    "external": "cyan",
    "starting": "yellow",
    "restarting": "yellow",
    "waiting": "dim",
    "stopping": "yellow",
    "stopped": "dim",
    "failed": "red",
}
_TITLES = {
    "map": "Map",
    "stac": "STAC API",
    "tiler": "Tiles",
    "database": "Database",
    "redis": "Queue",
    "store": "Masks",
    "home": "Data folder",
}


@contextmanager
def progress(
    console: Console, ready: Callable[[StackState], None]
) -> Iterator[Callable[[StackState], None]]:
    """Show the start and the stop of a stack as a bar; what comes between is quiet.

    Args:
        console: Where to.
        ready: Called once, when the stack is ready.

    Yields:
        What every new state is to be given to.
    """
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )
    task = bar.add_task("Starting", total=None)
    seen_ready = False

    def show(state: StackState) -> None:
        nonlocal seen_ready
        if state.state == "ready" and not seen_ready:
            seen_ready = True
            bar.stop()
            ready(state)
        elif state.state == "starting":
            bar.update(
                task,
                description=f"Starting {state.message}",
                completed=state.done,
                total=state.steps or None,
            )
        elif state.state == "stopping":
            bar.update(task, description=f"Stopping {state.message}", total=None)
            bar.start()

    bar.start()
    try:
        yield show
    finally:
        bar.stop()


def addresses(state: StackState) -> Text:
    """List where to find what."""
    return lines([(_TITLES.get(name, name), address) for name, address in state.addresses.items()])


def lines(facts: list[tuple[str, str]]) -> Text:
    """Set facts below each other, never cut or wrapped, so that each can be copied whole."""
    width = max(len(title) for title, _ in facts)
    return Text("\n").join(
        Text.assemble(f"{title:{width}}  ", (fact, "bold")) for title, fact in facts
    )


def parts(state: StackState) -> Table:
    """List the parts."""
    table = Table("Part", "State", "Process", "Port", "Restarts", "For", box=None, pad_edge=False)
    for part in state.parts:
        age = now() - part.since if part.since else None
        table.add_row(
            part.title,
            Text(part.state, style=_STYLES.get(part.state, "")),
            str(part.pid or ""),
            str(part.port or ""),
            str(part.restarts),
            str(max(age, timedelta())) if age is not None else "",
        )
    return table


def headline(state: StackState) -> Text:
    """Say in one line how the stack is."""
    return Text.assemble("The stack is ", (state.state, _STYLES.get(state.state, "")))
