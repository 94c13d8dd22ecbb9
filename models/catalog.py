"""The model catalog: which models the farm offers, what they need and what they cost. Pure data, loads no engine."""

import math
import tomllib
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

DEFAULT_PATH = Path(__file__).with_name("catalog.toml")

TaskKindName = Literal["script", "text_to_image", "image_to_image", "image_to_video", "speech", "music", "encode"]

_IN_SECONDS = {"image_to_video", "speech", "music", "encode"}
_IN_PIXELS = {"text_to_image", "image_to_image"}


class CatalogError(ValueError):
    """The catalog file is wrong; the message names the file and the entry."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Cost(_Entry):
    """Quota units of one task, rounded up to a whole number. Seconds are those of the video, music, speech or film;
    pixels are those of a picture."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)

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
    task_cost: dict[TaskKindName, Cost] = {}
    """Instead of ``cost``, for those of its tasks that cost something else."""
    voice: tuple[Voice, ...] = ()

    def cost_of(self, kind: str) -> Cost:
        return next((cost for task, cost in self.task_cost.items() if task == kind), self.cost)

    @model_validator(mode="after")
    def _every_price_counts(self) -> "Model":
        """Raises ValueError for a price that no task of the model would ever be asked for."""
        for kind in self.task_cost:
            if kind not in self.tasks:
                raise ValueError(f"task_cost.{kind}: this model's tasks are {', '.join(self.tasks)}")
            _check_units(f"task_cost.{kind}", self.task_cost[kind], {kind})
        _check_units("cost", self.cost, {*self.tasks} - {*self.task_cost})
        return self


def _check_units(field: str, cost: Cost, kinds: Collection[str]) -> None:
    for unit, price, measured in (
        ("per_second", cost.per_second, _IN_SECONDS),
        ("per_megapixel", cost.per_megapixel, _IN_PIXELS),
    ):
        if price and not measured.intersection(kinds):
            raise ValueError(f"{field}.{unit}: only {', '.join(sorted(measured))} are priced by it")


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
            where = f"{path}: model {name}: {field}" if field else f"{path}: model {name}"
            raise CatalogError(f"{where}: {first['msg'].removeprefix('Value error, ')}") from error
    return Catalog(models)
