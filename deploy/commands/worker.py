"""``nimbostac worker``: take products from the queues until told to stop."""

from typing import Annotated

import typer

_LANES = ("stage", "mask", "publish")


def worker(
    lane: Annotated[
        list[str] | None,
        typer.Option(
            help="Work in this lane only: stage fetches remote products, mask masks one at a time,"
            " publish puts masks into the catalogue. May be given several times; without it all.",
            show_default=False,
        ),
    ] = None,
    device: Annotated[
        str, typer.Option(help="What engines compute on: cpu, cuda or cuda:1.")
    ] = "cpu",
) -> None:
    """Fetch, mask and publish what is in the queues, one product at a time.

    Start as many as there is memory and processor for, on as many machines as there are, one
    for each device. They wait for servers that are away. SIGTERM ends one: a product that is not
    done by then goes back into the queue.
    """
    import logging

    for name in lane or ():
        if name not in _LANES:
            raise typer.BadParameter(f"{name!r} is none of {', '.join(_LANES)}")

    from ingest.lanes import worker as workers
    from ingest.ledger import Lane
    from ingest.settings import IngestSettings

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    # Says of each job what the worker says better, and a traceback where there is no bug.
    logging.getLogger("arq.worker").setLevel(logging.WARNING)
    lanes = [Lane(name) for name in lane] if lane else tuple(Lane)
    workers.run(IngestSettings(), lanes, device=device)
