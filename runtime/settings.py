"""What every process is told from outside: environment variables with the prefix ``REELFARM_``.

`reelfarm up` fills them in for its children; on real servers the operator does. Secrets are SecretStr, so they never
reach a log by accident.
"""

import os
from functools import lru_cache
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="REELFARM_", extra="ignore", frozen=True)

    # Where things are
    database_url: SecretStr = SecretStr("")
    """`postgresql+asyncpg://…`; on a unix socket `postgresql+asyncpg://user@/name?host=/directory`."""
    redis_url: SecretStr = SecretStr("")
    """`redis://…`"""
    artifacts_url: str = ""
    """`file:///directory` or `s3://bucket/prefix` (credentials by the usual AWS_… variables)."""
    ray_address: str = ""
    """`host:port` of the Ray head; workers are placed on every node of its cluster."""
    ray_namespace: str = "reelfarm"
    data_dir: Path | None = None
    catalog: Path | None = None
    """A model catalog file; the one that ships with the package when absent."""

    # The HTTP server
    host: str = "127.0.0.1"
    port: int = Field(default=8400, ge=0, le=65535)
    public_url: str | None = None
    """The address clients use, such as `https://film.example.org`; needed behind a proxy."""
    allowed_origins: tuple[str, ...] = ()
    """Origins for CORS and for WebSockets from browsers; the public URL's own origin is always allowed."""
    secret_key: SecretStr = SecretStr("")
    """Signs session tokens and file URLs. At least 32 characters."""

    # Limits
    session_ttl_s: int = Field(default=3600, ge=1)
    refresh_ttl_s: int = Field(default=30 * 86400, ge=1)
    file_url_ttl_s: int = Field(default=86400, ge=1)
    upload_max_bytes: int = Field(default=64 * 1024 * 1024, ge=1)
    login_attempts_per_minute: int = Field(default=10, ge=1)
    content_max_chars: int = Field(default=50_000, ge=1)

    # The farm
    cpu_workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1)
    lease_s: float = Field(default=10.0, gt=0)
    """How long a worker may stay silent before its task is given to another."""
    poll_interval_s: float = Field(default=0.25, gt=0)
    """How often the scheduler asks its workers how they do."""
    max_attempts: int = Field(default=3, ge=1)
    """Failures of a task's own making after which it counts as failed."""

    phase_budget_scale: float = Field(default=1.0, gt=0)
    """Stretches the time a task may go without progress, for machines slower than the budgets were set for."""
    worker_cache_max_bytes: int = Field(default=20 * 1024**3, ge=0)
    """How much of an object store's content a node keeps on its own disk."""
    scheduler_metrics_port: int | None = Field(default=None, ge=1, le=65535)
    """Where the scheduler serves its own Prometheus metrics; nowhere when absent."""

    log_level: str = "INFO"


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    return Settings()
