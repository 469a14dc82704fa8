-- What the dispatcher must know before it has more fetched: the room that is left where workers
-- fetch to, each by its own settings, in products.
ALTER TABLE ledger.workers ADD COLUMN scratch_room integer;
