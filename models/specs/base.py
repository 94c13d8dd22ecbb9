"""Bases of what is asked and made, and how a result came about."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Language = Literal["zh", "en"]
Seed = Annotated[int, Field(ge=0, le=2**63 - 1)]


class Spec(BaseModel):
    """Base of every spec: closed, so a misspelt field fails instead of being ignored."""

    model_config = ConfigDict(extra="forbid")


class Helped(Spec):
    """A model that helped another one, and its weights."""

    model: str
    source: str | None = None
    revision: str | None = None
    weights_sha256: str | None = None


class Provenance(Spec):
    """How a result was made. ``spec`` is what was asked, ``parameters`` what the model was given for it; ``parents``
    are the store keys of the files it was made from; ``source``, ``revision`` and ``weights_sha256`` name the weights.
    ``options`` are the model's, all of them; ``helpers`` are the models that helped it, by what they did.
    """

    task_kind: str
    model: str
    source: str | None = None
    revision: str | None = None
    weights_sha256: str | None = None
    seed: int | None = None
    spec: dict[str, Any]
    parameters: dict[str, Any] = {}
    options: dict[str, Any] = {}
    helpers: dict[str, Helped] = {}
    parents: list[str] = []
    timings_s: dict[str, float] = {}
    software: dict[str, str] = {}


class Result(Spec):
    """Base of what tasks make. The worker adds the ``provenance``."""

    provenance: Provenance | None = None


class StoredArtifact(Spec):
    """A file that a worker stored under its content-addressed key."""

    key: str
    media_type: str
    size: int
    sha256: str
