"""The dispatcher, or a worker with the test engine, as a process of its own.

``python -m tests.ingest.lanes.process [--lane stage|mask|publish ...] [--dispatcher]``: settings
come from the environment, as for the real commands.
"""

import argparse
import logging

from ingest.lanes import dispatcher, worker
from ingest.ledger import Lane
from ingest.settings import IngestSettings
from producer.storage import Storage
from tests.ingest.lanes import engine


def main() -> None:
    """Work, or dispatch, until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lane", action="append", type=Lane, choices=list(Lane))
    parser.add_argument("--dispatcher", action="store_true")
    told = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    settings = IngestSettings()
    if told.dispatcher:
        dispatcher.run(settings)
        return
    store = Storage.from_url(settings.store_url)
    worker.run(settings, told.lane or tuple(Lane), load_masker=engine.masker(store))


if __name__ == "__main__":
    main()
