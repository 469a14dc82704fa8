"""The embedded stack: PostgreSQL, Redis, a worker and the API, private, in one data folder."""
