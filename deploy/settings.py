"""What the stack can be told by the environment."""

import os
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def default_home() -> Path:
    """Say where the stack keeps its data unless told otherwise."""
    if os.geteuid() == 0:
        # Root's own folder is closed to the users that PostgreSQL and Redis run as.
        return Path("/var/lib/nimbostac")
    return Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share") / "nimbostac"


class DeploySettings(BaseSettings):
    """Where the stack lives, what it listens on, and what it takes from outside."""

    model_config = SettingsConfigDict(env_prefix="NIMBOSTAC_", frozen=True, extra="ignore")

    home: Path = Field(default_factory=default_home)
    """Data folder of the stack: database, queue, masks, logs."""
    host: str = "127.0.0.1"
    """Address that the API listens on; ``0.0.0.0`` for every one."""
    port: int | None = Field(default=None, ge=1, le=65535)
    """Port of the API; without it a free one is chosen once and remembered."""
    api_workers: int = Field(default=1, ge=1)
    """Processes that answer HTTP requests."""
    redis_url: str | None = None
    """A Redis to use instead of a private one."""
    store_url: str | None = None
    """Storage to use instead of a folder of the stack."""
    scratch: Path | None = None
    """Folder for remote products until they are masked, instead of one of the stack."""
    postgres_bin: Path | None = None
    """Folder of ``initdb`` and ``postgres``; without it the newest of the system is taken."""

    @property
    def home_path(self) -> Path:
        """The data folder as an absolute path."""
        return self.home.expanduser().absolute()
