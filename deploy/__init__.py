"""The composition root: command line, embedded stack, one-process application."""
