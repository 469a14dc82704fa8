"""What the tile server can be told by the environment."""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class TilerSettings(BaseSettings):
    """How the tile server answers; the database comes from the usual ``PG*`` variables."""

    model_config = SettingsConfigDict(
        env_prefix="NIMBOSTAC_TILER_", frozen=True, extra="ignore", populate_by_name=True
    )

    root_path: str = ""
    """Path under which a proxy publishes the server, where the proxy cuts it off."""
    cors_origins: tuple[str, ...] = ("*",)
    """Origins that a browser may call from."""
    max_age_s: int = Field(default=5, ge=0)
    """How long a browser may keep an answer that names no version."""
    max_image_px: int = Field(default=4096, ge=256)
    """Longest edge of an image that a client may ask for."""
    item_age_s: float = Field(default=2.0, gt=0, le=5)
    """How long an Item is remembered; a replaced one is seen after that."""
    datasets: int = Field(default=256, ge=1)
    """COGs held open."""
    dataset_age_s: float = Field(default=300.0, gt=0)
    """How long a COG may stay open."""
    block_cache_bytes: int = Field(default=256 * 1024 * 1024, ge=0)
    """Memory for decoded blocks, bytes."""
    empty_status: Literal[200, 204] = 200
    """Answer to a tile without data: a transparent image, or nothing."""
    db_connections: int = Field(default=8, ge=1)
    """Most connections to the database."""
    db_timeout_s: float = Field(default=5.0, gt=0)
    """How long a request waits for a connection."""
    catalog_url: str = "stac"
    """Where the catalogue is: an address, or a path beside the tile server's own."""
    store_url: str | None = Field(default=None, validation_alias="NIMBOSTAC_STORE_URL")
    """Folder or bucket address of the masks, whose files the catalogue gives for download."""
    clear_vertices: int = Field(default=10_000, ge=4)
    """Most vertices of a polygon whose sky is asked for, all features of a request together."""
    clear_area_km2: float = Field(default=100_000, gt=0)
    """Largest area of such a polygon."""
    clear_exact_km2: float = Field(default=100, gt=0)
    """Largest part of a mask whose pixels are all counted; of more an overview is read."""
    clear_items: int = Field(default=1000, ge=1)
    """Most products that one request looks at."""
    clear_features: int = Field(default=1000, ge=1)
    """Most polygons of one request for statistics."""
    clear_timeout_s: float = Field(default=30, gt=0)
    """How long one request may take."""
    clear_threads: int = Field(default=8, ge=1)
    """Threads that read masks for such requests; tiles have others."""
    clear_requests: int = Field(default=4, ge=1)
    """Such requests that are worked on at once."""
    clear_queue: int = Field(default=32, ge=0)
    """Such requests that may wait; further ones are refused."""
