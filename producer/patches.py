"""Overlapping patches: where they lie, how they are weighed, what is blended of them."""

import numpy as np
from numpy.typing import NDArray


def taper(size_px: int, overlap_px: int) -> NDArray[np.float32]:
    """Weigh one patch so that neighbours add up to one wherever they overlap.

    The weights rise as a squared sine, the shape of a Tukey window, so that a blend has no
    kink where an overlap begins.

    Args:
        size_px: Edge of the square patch.
        overlap_px: Pixels that two neighbours share, 0 to ``size_px // 2``.

    Returns:
        (size_px, size_px) weights in (0, 1]: one inside, falling to the edges.

    Raises:
        ValueError: The overlap leaves no pixel that belongs to one patch only.
    """
    if not 0 <= overlap_px <= size_px // 2:
        raise ValueError(f"overlap of {overlap_px} px in a patch of {size_px} px")
    line = np.ones(size_px, np.float64)
    # Half-pixel steps: a ramp and its mirror sum to one without ever being zero, so a border
    # pixel that only one patch covers can still be normalised.
    ramp = np.sin((np.arange(overlap_px) + 0.5) / max(overlap_px, 1) * (np.pi / 2)) ** 2
    line[:overlap_px] = ramp
    line[size_px - overlap_px :] = ramp[::-1]
    return np.outer(line, line).astype(np.float32)


def mirrored(start: int, stop: int, length: int) -> NDArray[np.intp]:
    """Indices of a line that goes on beyond both its ends as in a mirror.

    The pixel at the edge is repeated, as by ``np.pad(mode="symmetric")``; a line shorter than
    what is wanted is mirrored again and again.

    Args:
        start: First index wanted, may be negative.
        stop: End of the indices wanted, may lie beyond the line.
        length: Pixels of the line, at least one.
    """
    folded = np.arange(start, stop) % (2 * length)
    return np.where(folded < length, folded, 2 * length - 1 - folded)
