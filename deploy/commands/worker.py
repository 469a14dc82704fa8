"""``nimbostac worker``: take products from the queue until told to stop."""


def worker() -> None:
    """Mask, store and publish what is in the queue, one product at a time.

    Start as many as there is memory and processor for, on as many machines as there are.
    SIGTERM ends it: a product that is not done by then goes back into the queue.
    """
    import logging

    from ingest import worker as workers
    from ingest.settings import IngestSettings

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    # Says of each job what the worker says better, and a traceback where there is no bug.
    logging.getLogger("arq.worker").setLevel(logging.WARNING)
    workers.run(IngestSettings())
