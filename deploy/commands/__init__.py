"""One file a command; each loads only what it runs."""
