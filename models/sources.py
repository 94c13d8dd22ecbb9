"""Where a model's files come from, and on which terms they may be used. Pure data."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from runtime.settings import Settings

Use = Literal["commercial", "research"]

_EUROPEAN_UNION = frozenset("AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE".split())  # noqa: SIM905


class Entry(BaseModel):
    """Base of everything in a catalog file: closed, so a misspelt field fails instead of being ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Weights(Entry):
    """Exactly one of ``hub`` (a Hugging Face id), ``path`` (a folder of every node) and ``url`` (a folder in an object
    store: s3://, gs://, az://, file://).

    ``revision`` is a branch, tag or commit of the hub; a commit is the only one that does not move. ``variant`` picks
    the files named ``*.<variant>.safetensors``. ``sha256`` is what `reelfarm models verify` prints for the folder;
    where it is given, other files are refused.
    """

    hub: str | None = Field(default=None, pattern=r"^[\w.-]+/[\w.-]+$")
    revision: str = Field(default="main", pattern=r"^[\w./-]+$")
    variant: str | None = Field(default=None, pattern=r"^\w+$")
    path: Path | None = None
    url: str | None = Field(default=None, pattern=r"^(s3|gs|az|file)://.+")
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")

    @model_validator(mode="after")
    def _one_source(self) -> "Weights":
        given = [name for name in ("hub", "path", "url") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"exactly one of hub, path and url is needed, not {' and '.join(given) or 'none'}")
        return self

    @property
    def source(self) -> str:
        """As a person names it."""
        if self.hub is not None:
            return f"{self.hub}@{self.revision}"
        return str(self.path if self.path is not None else self.url)

    def folder(self, models_dir: Path) -> Path:
        """Where the files are, or will be once they are pulled: each variant in a folder of its own."""
        if self.path is not None:
            return self.path
        variant = "" if self.variant is None else f"--{self.variant}"
        if self.hub is not None:
            return models_dir / self.hub.replace("/", "--") / (self.revision.replace("/", "--") + variant)
        assert self.url is not None  # noqa: S101 - the validator saw to it
        name = self.url.rstrip("/").rpartition("/")[2]
        return models_dir / f"{name}-{hashlib.sha256(self.url.encode()).hexdigest()[:12]}{variant}"


class Terms(Entry):
    """What a license forbids or asks for. ``excluded_territories`` are ISO 3166-1 alpha-2 codes, or EU. A license that
    ``needs_acceptance`` has to be accepted by the operator, model by model."""

    commercial: bool = True
    excluded_territories: tuple[str, ...] = ()
    needs_acceptance: bool = False
    url: str | None = None


@dataclass(frozen=True)
class Usage:
    """What the operator declares: how the films are used, where the farm is (ISO 3166-1 alpha-2), and whose licenses,
    by model id, were accepted."""

    use: Use = "commercial"
    territory: str | None = None
    accepted: frozenset[str] = frozenset()

    @classmethod
    def of(cls, settings: Settings) -> "Usage":
        return cls(settings.use, settings.territory, frozenset(settings.accepted_licenses))


def refusal(model_id: str, terms: Terms, usage: Usage) -> str | None:
    """Why a model may not be used here; None where it may."""
    if usage.use == "commercial" and not terms.commercial:
        return "its license forbids commercial use (REELFARM_USE=research declares another)"
    if terms.excluded_territories:
        if usage.territory is None:
            excluded = ", ".join(terms.excluded_territories)
            return f"its license excludes {excluded}: set REELFARM_TERRITORY to the country the farm is in"
        if _is_in(usage.territory, terms.excluded_territories):
            return f"its license excludes {usage.territory}"
    if terms.needs_acceptance and model_id not in usage.accepted:
        return f"its license has to be accepted: add {model_id} to REELFARM_ACCEPTED_LICENSES"
    return None


def _is_in(territory: str, excluded: Collection[str]) -> bool:
    return territory in excluded or ("EU" in excluded and territory in _EUROPEAN_UNION)
