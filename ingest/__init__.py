"""Records in, STAC Items out: Collections, Items, pgstac, jobs and sources."""
