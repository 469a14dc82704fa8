"""``nimbostac up``, ``down``, ``status`` and ``logs``: the embedded stack."""

from typing import Annotated

import typer


def up(
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Come back when it is ready; it runs on.")
    ] = False,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; 0.0.0.0 for every one.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port of the API; by default the one it had before.")
    ] = None,
) -> None:
    """Start the stack: database, queue, dispatcher, worker and API, in one data folder.

    Servers that PGHOST, NIMBOSTAC_REDIS_URL or NIMBOSTAC_STORE_URL name are used instead of
    own ones. The data folder is NIMBOSTAC_HOME. ctrl-C stops everything.
    """
    import logging

    from rich.console import Console
    from rich.logging import RichHandler

    from deploy.settings import DeploySettings
    from deploy.stack import background, run, view
    from deploy.stack.home import Home
    from deploy.stack.state import StackState

    told = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = DeploySettings(**told)  # type: ignore[arg-type]  # checked by pydantic
    console = Console(stderr=True, soft_wrap=True)
    how_to_stop = "`nimbostac down` stops it" if detach else "ctrl-C stops it"

    def ready(state: StackState) -> None:
        console.print(view.headline(state))
        console.print(view.addresses(state))
        console.print(how_to_stop, style="dim")

    if detach:
        with view.progress(console, ready) as show:
            background.take_up(settings, show)
        return
    home = Home(settings.home_path)
    home.prepare()
    log = logging.FileHandler(home.log("stack"))
    log.setFormatter(logging.Formatter(run.LOG_FORMAT))
    screen = RichHandler(console=console, show_path=False, show_level=False)
    logging.basicConfig(level=logging.WARNING, handlers=[log, screen], format="%(message)s")
    with view.progress(console, ready) as show:
        run.supervise(settings, show)


def down() -> None:
    """Stop the stack; its data are kept."""
    import logging

    from rich.console import Console
    from rich.logging import RichHandler

    from deploy.settings import DeploySettings
    from deploy.stack import run
    from deploy.stack.home import Home

    console = Console(stderr=True, soft_wrap=True)
    screen = RichHandler(console=console, show_path=False, show_level=False)
    logging.basicConfig(level=logging.WARNING, handlers=[screen], format="%(message)s")
    home = Home(DeploySettings().home_path)
    with console.status("Stopping the stack"):
        run.take_down(home)
    console.print("The stack is stopped; its data are kept in", str(home.path))


def status(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Tell how the stack is, where its parts listen, and how often they were started again.

    Ends with exit code 1 where no stack runs.
    """
    import json

    from rich.console import Console

    from deploy.errors import StackDownError
    from deploy.settings import DeploySettings
    from deploy.stack import run, view
    from deploy.stack.home import Home

    home = Home(DeploySettings().home_path)
    state = run.current(home)
    if as_json:
        typer.echo(json.dumps(state.facts(), indent=1))
        if state.pid is None:
            raise typer.Exit(1)
        return
    if state.pid is None:
        raise StackDownError(home.path, left_behind=len(state.parts))
    console = Console(soft_wrap=True)
    console.print(view.headline(state))
    console.print(view.addresses(state))
    console.print()
    console.print(view.parts(state))


def logs(
    part: Annotated[
        str | None,
        typer.Argument(help="postgres, redis, dispatcher, worker, api, migrate or stack."),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as they grow.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="Last lines of each.")] = 20,
) -> None:
    """Show the end of the logs of the stack."""
    from deploy.settings import DeploySettings
    from deploy.stack import logs as reading
    from deploy.stack.home import Home

    found = reading.files(Home(DeploySettings().home_path), part)

    def show(name: str, line: str) -> None:
        typer.echo(line if part else f"{name:10} | {line}")

    offsets = {}
    for name, path in found.items():
        last, offsets[name] = reading.tail(path, lines)
        for line in last:
            show(name, line)
    if follow:
        for name, line in reading.follow(found, offsets):
            show(name, line)
