"""What the catalogue can be told by the environment."""

from typing import Annotated

from pydantic import BeforeValidator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _words(value: object) -> object:
    return [word.strip() for word in value.split(",")] if isinstance(value, str) else value


class CatalogSettings(BaseSettings):
    """How the STAC API presents itself; the database is named by plain ``PG*`` variables."""

    model_config = SettingsConfigDict(env_prefix="NIMBOSTAC_", frozen=True, extra="ignore")

    title: str = "Nimbostac"
    """Title of the landing page."""
    description: str = "Cloud and cloud-shadow masks of Sentinel-2 products"
    """Description of the landing page."""
    root_path: str = ""
    """Path under which a proxy serves the API, where it sends no ``X-Forwarded-Prefix``."""
    tiler_url: str = "/tiler"
    """Where the tile server is: an address, or a path below the site that serves both."""
    web_url: str = "/"
    """Where the map page is: an address, or a path below the site that serves both."""
    store_url: str | None = None
    """Folder or bucket address of the masks; without it nothing can be downloaded."""
    download_redirect: bool = False
    """Send downloads from a bucket on to a signed address of the bucket itself."""
    download_redirect_s: int = 3600
    """How long a signed address is good for."""
    cors_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)] = ("*",)
    """Web origins that may call the API, separated by commas."""
    database_connections: int = 10
    """Most connections that one process opens."""
    database_timeout_s: float = 5
    """How long to wait for a connection."""
    query_timeout_s: float = 30
    """How long one search may take."""
