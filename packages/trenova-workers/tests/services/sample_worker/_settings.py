from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr
from pydantic_settings import SettingsConfigDict

from trenova_workers import ServiceSettings


class StoreOptions(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = "sqlite:///store.db"
    password: SecretStr | None = None
    tags: list[str] = []
    pool_size: int = 500


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="SAMPLE_WORKER_")

    queue: str = "sample-queue"
    more_queues: tuple[str, ...] = ()
    store: StoreOptions = StoreOptions()
    opening_s: float = 0
    refuse: bool = False
    away: bool = False
    expected: int = 1
    longest_s: float = 60
    lacks: tuple[str, ...] = ()
    ledger: Path | None = None
