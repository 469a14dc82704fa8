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
    weights_url: str = (
        "https://kappamask.s3.eu-central-1.amazonaws.com/model_weights/2022-09-13"
        " http://kappamask.s3-website.eu-central-1.amazonaws.com/model_weights/2022-09-13"
    )
    """Folders that hold ``l1c_deeplabv3plus.hdf5``, with spaces between; tried in turn. KappaZeta
    publishes the second; the first is the same bucket by TLS. Empty: nothing is ever fetched."""
