"""Products in ESA's SAFE format: a folder, or a zip of one, with its XML and its bands.

Files are found by the product's own ``manifest.safe``; numbers come from the product's own XML.
Nothing is unpacked: a zip is read in place.
"""

from producer.safe.checking import verify
from producer.safe.opening import open_product
from producer.safe.product import BandFile, Product

__all__ = ["BandFile", "Product", "open_product", "verify"]
