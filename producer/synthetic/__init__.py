"""Products that were never sensed: correct SAFE folders with pixels of our own making.

A landscape under clouds of which every pixel's true class is known, for tests, benches and
demonstrations; and the writer beneath it, which also lays out real band files as a product.
"""

from producer.synthetic.build import Built, build
from producer.synthetic.facts import SafeFacts, View
from producer.synthetic.scene import Scene
from producer.synthetic.writer import write_safe

__all__ = ["Built", "SafeFacts", "Scene", "View", "build", "write_safe"]
