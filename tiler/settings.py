"""What the tile server can be told by the environment."""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class TilerSettings(BaseSettings):
    """How the tile server answers; the database comes from the usual ``PG*`` variables."""

    model_config = SettingsConfigDict(env_prefix="NIMBOSTAC_TILER_", frozen=True, extra="ignore")

    root_path: str = ""
    """Path under which a proxy publishes the server, where the proxy cuts it off."""
    cors_origins: tuple[str, ...] = ("*",)
    """Origins that a browser may call from."""
    max_age_s: int = Field(default=300, ge=0)
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
