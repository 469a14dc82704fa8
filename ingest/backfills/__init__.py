"""Backfills: what is asked of them, their listing, what they would cost and how far they are."""
