"""What the producer can be told by the environment."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class ProducerSettings(BaseSettings):
    """Where masks, scratch files and weights are kept."""

    model_config = SettingsConfigDict(env_prefix="NIMBOSTAC_", frozen=True, extra="ignore")

    store_url: str = "masks"
    """Folder or ``s3://``, ``gs://`` or ``az://`` address under which masks are kept."""
    cache_dir: Path = Path("~/.cache/nimbostac")
    """Folder for weights and sample products."""
    threads: int = 0
    """Threads of an engine; 0 takes one per core."""
