"""Backfills at the command line: asked for, followed and shown."""
