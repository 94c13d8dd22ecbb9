"""The model catalog: which models the farm offers, what they need and what they cost. Pure data, loads no engine."""

import math
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

DEFAULT_PATH = Path(__file__).with_name("catalog.toml")

TaskKindName = Literal["script", "text_to_image", "image_to_image", "image_to_video", "speech", "music", "encode"]


class CatalogError(ValueError):
    """The catalog file is wrong; the message names the file and the entry."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Cost(_Entry):
    """Quota units of one task, rounded up to a whole number."""

    base: float = Field(default=0, ge=0)
    per_second: float = Field(default=0, ge=0)
    per_megapixel: float = Field(default=0, ge=0)

    def units(self, *, seconds: float = 0.0, megapixels: float = 0.0) -> int:
        return math.ceil(self.base + self.per_second * seconds + self.per_megapixel * megapixels - 1e-9)


class Voice(_Entry):
    id: str
    display_name: str
    language: Literal["zh", "en"]
    gender: Literal["male", "female", "neutral"]
    age_range: Literal["child", "young", "adult", "elder"]
    tone: str
    use: Literal["narration", "dialogue"]


class Model(_Entry):
    """One entry. ``adapter`` is ``module:Class``; None where the task kind runs no model (encode)."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    display_name: str
    display_name_zh: str | None = None
    tasks: tuple[TaskKindName, ...] = Field(min_length=1)
    adapter: str | None = Field(default=None, pattern=r"^[\w.]+:\w+$")
    license: str
    default: bool = False
    device: Literal["cpu", "gpu"] = "cpu"
    cost: Cost = Cost()
    voice: tuple[Voice, ...] = ()


class Catalog:
    """Entries by id, in file order."""

    def __init__(self, models: list[Model]) -> None:
        self.models = {model.id: model for model in models}
        if len(self.models) != len(models):
            raise CatalogError("two catalog entries share an id")
        voices = [voice.id for model in models for voice in model.voice]
        if len(set(voices)) != len(voices):
            raise CatalogError("two voices share an id")

    def get(self, model_id: str) -> Model | None:
        return self.models.get(model_id)

    def for_task(self, kind: str) -> list[Model]:
        return [model for model in self.models.values() if kind in model.tasks]

    def default_for(self, kind: str) -> Model:
        """The default model of a task kind: the first marked default, else the first. KeyError if there is none."""
        candidates = self.for_task(kind)
        if not candidates:
            raise KeyError(f"the catalog has no model for {kind}")
        return next((model for model in candidates if model.default), candidates[0])


@lru_cache(maxsize=4)
def load_catalog(path: Path = DEFAULT_PATH) -> Catalog:
    """Read a catalog file. Raises CatalogError naming the entry that is wrong."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CatalogError(f"{path}: {error}") from error
    models = []
    for number, entry in enumerate(raw.get("model", []), start=1):
        try:
            models.append(Model.model_validate(entry))
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            name = entry.get("id", f"number {number}")
            raise CatalogError(f"{path}: model {name}: {field}: {first['msg']}") from error
    return Catalog(models)
