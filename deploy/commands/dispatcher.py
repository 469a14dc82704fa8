"""``nimbostac dispatcher``: fill the queues of the workers until told to stop."""


def dispatcher() -> None:
    """Fill the workers' queues from the ledger, and look for the products of new backfills.

    Start one, or several on different machines: one acts, the others stand by. SIGTERM ends it;
    nothing is lost by ending it at any time, in any way.
    """
    import logging

    from ingest.lanes import dispatcher as dispatchers
    from ingest.settings import IngestSettings

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    dispatchers.run(IngestSettings())
