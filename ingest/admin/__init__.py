"""The administration over HTTP: what an operator asks and does, with a token."""
