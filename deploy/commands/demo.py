"""``nimbostac demo``: one real product on the map, with one command."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from deploy.demo import Shown


def demo(
    engine: Annotated[
        str,
        typer.Option(
            help="Which engine masks: kappamask, ukis-csmask, or auto: kappamask if its weights"
            " are there or can be fetched, else ukis-csmask."
        ),
    ] = "auto",
    as_json: Annotated[
        bool, typer.Option("--json", help="End with one JSON object on standard output.")
    ] = False,
) -> None:
    """Start the stack, mask a real sample product, and show where to find it.

    Every address is tried before it is printed. Run again, nothing is done twice. The stack
    runs on; `nimbostac down` stops it.
    """
    import json
    import time
    from dataclasses import asdict

    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from deploy import demo as steps
    from deploy import sample
    from deploy.settings import DeploySettings
    from deploy.stack import background
    from deploy.stack.home import Home
    from deploy.stack.state import StackState
    from ingest.settings import IngestSettings
    from producer import engines
    from producer.engines import choice

    known = (choice.AUTO, *engines.names())
    if engine not in known:
        raise typer.BadParameter(f"{engine!r} is none of {', '.join(known)}")
    began = time.monotonic()
    settings = DeploySettings()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=30))
    console = Console(stderr=True, soft_wrap=True)
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task("Starting the stack", total=None)

        def report(step: str, done: int, total: int) -> None:
            bar.update(task, description=step, completed=done, total=total or None)

        def starting(state: StackState) -> None:
            report(f"Starting {state.message}", state.done, state.steps)

        def fetching(_step: str, done: int, total: int) -> None:
            report("Fetching KappaMask's weights", done, total)

        state = background.take_up(settings, starting)
        Home(settings.home_path).join()
        report("Choosing an engine", 0, 0)
        chosen = choice.resolve(engine, sample.LEVEL, progress=fetching)
        masked = steps.mask(IngestSettings(), chosen.engine, report)
        shown = steps.show(str(state.url), masked, report)
    seconds = round(time.monotonic() - began, 1)
    if as_json:
        reason = {"engine_reason": chosen.reason} if chosen.reason else {}
        typer.echo(json.dumps({**asdict(shown), **reason, "seconds": seconds}))
        return
    _tell(Console(soft_wrap=True), shown, steps.snippet(shown))
    if chosen.reason:
        console.print(chosen.reason, markup=False, highlight=False)
    how = "was masked before" if masked.before else "is masked"
    console.print(f"{masked.product} {how}; {seconds} s in all", style="dim")
    console.print("`nimbostac down` stops the stack; its data are kept", style="dim")


def _tell(console: "Console", shown: "Shown", snippet: str) -> None:
    from deploy.stack.view import lines

    titles = {
        "map": "Map",
        "stac": "STAC search",
        "item": "Item",
        "xyz": "XYZ tiles, for QGIS",
        "wmts": "WMTS, for QGIS",
        "cog": "Mask (COG)",
        "thumbnail": "Thumbnail",
    }
    console.print(lines([(title, getattr(shown, name)) for name, title in titles.items()]))
    console.print("\nIn Python, with pystac-client:\n")
    console.print(snippet, markup=False, highlight=False)
    console.print()
