"""What a synthetic scene shall look like."""

from dataclasses import dataclass
from datetime import datetime

from producer.grid import Grid
from producer.product import ProductName
from producer.safe.spectrum import RESOLUTIONS_M
from producer.synthetic.facts import View, usual_offset
from producer.synthetic.jp2 import LOSSLESS, Encoding
from producer.tiles import TILE_PX, tile_grid


@dataclass(frozen=True, slots=True)
class Scene:
    """A landscape under clouds; the same fields give the same pixels, always."""

    name: str
    """Product name; says level, baseline, time, tile and so the place."""
    width_px: int = TILE_PX
    """Columns at 10 m; from the tile's west edge."""
    height_px: int = TILE_PX
    """Rows at 10 m; from the tile's north edge."""
    seed: int = 0
    sky: int = 0
    """Another sky has other clouds above the same ground."""
    cloud: float = 0.3
    """Share of thick cloud, 0 to 1; met roughly."""
    thin_cloud: float = 0.1
    """Share of thin high cloud, 0 to 1; what lies over thick cloud is not seen."""
    cloud_height_m: float = 1500.0
    """Height of thick cloud above ground: with the sun it says where shadows fall."""
    swath: float = 1.0
    """Share of the columns of the middle row that hold data; a slanted edge bounds them."""
    view: View | None = None
    """Angles; else the sun stands where it stood at that time and place."""
    sensed: datetime | None = None
    """Sensing time of the tile; else that of the name."""
    offset: int | None = None
    """Radiometric offset; else -1000 since baseline 04.00 and none before."""
    encoding: Encoding = LOSSLESS

    @property
    def product(self) -> ProductName:
        """The name, read."""
        return ProductName.parse(self.name)

    @property
    def grids(self) -> dict[int, Grid]:
        """Grids by resolution; coarse ones cover the last pixels of 10 m whole."""
        tile = tile_grid(self.product.tile)
        return {
            metres: Grid(
                epsg=tile.epsg,
                x_m=tile.x_m,
                y_m=tile.y_m,
                resolution_m=metres,
                width=-(-self.width_px * 10 // metres),
                height=-(-self.height_px * 10 // metres),
            )
            for metres in RESOLUTIONS_M
        }

    @property
    def published_offset(self) -> int | None:
        """The offset that the metadata have."""
        if self.offset is not None:
            return self.offset
        name = self.product
        return usual_offset(f"{name.baseline[:2]}.{name.baseline[2:]}")
