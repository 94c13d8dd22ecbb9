"""What every process is told from outside: environment variables with the prefix ``REELFARM_``.

`reelfarm up` fills them in for its children; on real servers the operator does. Secrets are SecretStr, so they never
reach a log by accident.
"""

import os
import tempfile
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _split(value: Any) -> Any:
    """Variables list things with commas between."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


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

    # Models
    models_dir: Path | None = None
    """Where the weights of models are kept that were pulled, a folder that has to be there; `models` in the data
    directory when absent."""
    vram_gb: float | None = Field(default=None, gt=0)
    """How much of its device's memory a worker's models may take; when absent nearly all of a GPU's, and on CPUs the
    worker's part of ``host_models_gb``."""
    host_models_gb: float | None = Field(default=None, ge=0)
    """How much of a node's host memory models may take, shared equally among its workers that run models with weights;
    half of what the machine has when absent, or of what a control group leaves of it."""
    use: Literal["commercial", "research"] = "commercial"
    """How the films are used: models whose license forbids it are not offered."""
    territory: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")
    """The country the farm is in, such as `DE` (ISO 3166-1 alpha-2), for licenses that exclude some."""
    accepted_licenses: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = ()
    """Ids of models whose license needs to be accepted and was, such as `ltx-2,hunyuan-video`."""

    # The HTTP server
    host: str = "127.0.0.1"
    port: int = Field(default=8400, ge=0, le=65535)
    public_url: str | None = None
    """The address clients use, such as `https://film.example.org`; needed behind a proxy."""
    allowed_origins: tuple[str, ...] = ()
    """Origins for CORS and for WebSockets from browsers; the public URL's own origin is always allowed."""
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_split)] = ()
    """Networks whose ``X-Forwarded-For`` is believed, such as `10.0.0.0/8,127.0.0.1`."""
    secret_key: SecretStr = SecretStr("")
    """Signs session tokens and file URLs. At least 32 characters."""

    # Accounts
    registration: Literal["open", "invite", "off"] = "invite"
    """Who may make an account over the API: anybody, whoever has a team's invite code, nobody."""
    reset_delivery: Literal["admin", "file"] = "admin"
    """How a forgotten password's token reaches its user: an admin issues it with `reelfarm user reset-password`, or
    a request writes it to a file below `data_dir/password-resets`, for a program that delivers it."""
    password_reset_ttl_s: int = Field(default=3600, ge=1)
    max_teams_per_user: int = Field(default=10, ge=0)
    """How many teams a user may be an admin of and still make another; each team has a quota of its own."""

    # Limits
    session_ttl_s: int = Field(default=3600, ge=1)
    refresh_ttl_s: int = Field(default=30 * 86400, ge=1)
    file_url_ttl_s: int = Field(default=86400, ge=1)
    upload_max_bytes: int = Field(default=64 * 1024 * 1024, ge=1)
    max_open_uploads: int = Field(default=100, ge=1)
    """How many uploads a user or a team may have asked for that are not registered yet."""
    tenant_disk_bytes: int = Field(default=50 * 1024**3, ge=0)
    """What the files of a user or a team may take together, unless they have a limit of their own."""
    login_attempts_per_minute: int = Field(default=10, ge=1)
    export_retention_days: float | None = Field(default=None, gt=0, le=36500)
    """How long an export's files can be downloaded; for ever when absent."""
    content_max_chars: int = Field(default=50_000, ge=1)

    # How long things are kept
    retention_s: int = Field(default=7 * 86400, ge=3600)
    """How long a file is kept that nothing refers to any more, such as one of a deleted project."""
    object_grace_s: int = Field(default=86400, ge=4 * 3600)
    """How old an object without a record must be to be garbage: longer than any result waits to be applied."""
    event_retention_s: int = Field(default=7 * 86400, ge=3600)
    """How far back a WebSocket client can be replayed what it missed."""
    idempotency_retention_s: int = Field(default=86400, ge=3600)
    """For how long a repeated `Idempotency-Key` gets its first answer."""
    attempt_retention_s: int = Field(default=14 * 86400, ge=3600)
    """How long the logs and manifests of attempts are kept."""
    collect_interval_s: float = Field(default=3600, gt=0)
    """How often garbage is collected, by one of the api processes."""

    # Moderation
    moderation: str = ""
    """`module:name` of what makes a moderator, such as `control_plane.moderation.words:WordList`; none when empty."""
    moderation_words: Path | None = None
    """The list of words that the shipped moderator refuses."""

    # The farm
    cpu_workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1)
    lease_s: float = Field(default=10.0, gt=0)
    """How long a worker may stay silent before its task is given to another."""
    poll_interval_s: float = Field(default=0.25, gt=0)
    """How often the scheduler asks its workers how they do."""
    max_attempts: int = Field(default=3, ge=1)
    """Failures of a task's own making after which it counts as failed."""
    tenant_limit: int | None = Field(default=None, ge=1)
    """How many tasks of one user or team run at a time on one kind of device."""

    autoscale: bool = False
    """Whether Ray's autoscaler adds nodes to the cluster and takes them away."""
    idle_node_s: float = Field(default=300.0, ge=0)
    """How long a node of such a cluster must have had nothing to do before its workers leave it."""
    phase_budget_scale: float = Field(default=1.0, gt=0)
    """Stretches the time a task may go without progress, for machines slower than the budgets were set for."""
    worker_cache_max_bytes: int = Field(default=20 * 1024**3, ge=0)
    """How much of an object store's content a node keeps on its own disk."""
    scheduler_metrics_port: int | None = Field(default=None, ge=1, le=65535)
    """Where the scheduler serves its own Prometheus metrics; nowhere when absent."""

    log_level: str = "INFO"

    @property
    def base_dir(self) -> Path:
        """Where a process keeps what is only for this machine."""
        return self.data_dir or Path(tempfile.gettempdir()) / f"reelfarm-{os.getuid()}"

    @property
    def models_folder(self) -> Path:
        return self.models_dir or self.base_dir / "models"


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    return Settings()
