"""Clear sky over a polygon: what the masks' own pixels say about a field, not about a tile."""
