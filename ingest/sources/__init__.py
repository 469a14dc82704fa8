"""Sources: where products are looked for, one kind a file, behind one Protocol.

What a source lists is only looked at, never opened: a product is known by its name.
"""

from ingest.filters import Candidate
from ingest.sources.page import Page, Source

__all__ = ["Candidate", "Page", "Source"]
