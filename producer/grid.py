"""A raster's place on the ground: CRS, origin, pixel size and shape."""

from dataclasses import dataclass

from rasterio.transform import Affine


@dataclass(frozen=True, slots=True)
class Grid:
    """A north-up grid of square pixels in a UTM zone."""

    epsg: int
    """EPSG code of the CRS, 32601 to 32660 or 32701 to 32760."""
    x_m: float
    """Easting of the upper left corner of the upper left pixel."""
    y_m: float
    """Northing of that corner."""
    resolution_m: float
    """Edge of a pixel."""
    width: int
    """Columns."""
    height: int
    """Rows."""

    @property
    def transform(self) -> Affine:
        """From (column, row) to (easting, northing)."""
        return Affine(self.resolution_m, 0, self.x_m, 0, -self.resolution_m, self.y_m)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, the order of NumPy."""
        return self.height, self.width

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east and north edge in metres of the CRS."""
        return (
            self.x_m,
            self.y_m - self.height * self.resolution_m,
            self.x_m + self.width * self.resolution_m,
            self.y_m,
        )
