"""Two masks of one place, side by side: where they agree, and on what."""
