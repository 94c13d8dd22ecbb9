"""The model catalog: which models the farm offers, what they need and what they cost. Pure data, loads no engine."""

import math
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Literal, get_args

from pydantic import ConfigDict, Field, PrivateAttr, ValidationError, model_validator

from models.options import OPTIONS, DiffusionOptions, WeightedOptions
from models.sources import Entry, Terms, Usage, Weights, refusal
from models.specs import Language

TaskKindName = Literal["script", "text_to_image", "image_to_image", "image_to_video", "speech", "music", "encode"]

_IN_SECONDS = {"image_to_video", "speech", "music", "encode"}
_IN_PIXELS = {"text_to_image", "image_to_image"}


HelperKind = Literal["alignment", "embedding"]
"""What models do for other models: the times of spoken words, and how alike two pictures are."""


class CatalogError(ValueError):
    """The catalog is wrong. ``model_id`` and ``field``, where they are known, name what to change."""

    def __init__(self, message: str, *, model_id: str | None = None, field: str = "") -> None:
        self.message = message
        self.model_id = model_id
        self.field = field
        super().__init__(message)


class NoModelError(LookupError):
    """The catalog has no model that may be used for ``kind``."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        super().__init__(f"the catalog has no model for {kind}")


class Cost(Entry):
    """Quota units of one task, rounded up to a whole number. Seconds are those of the video, music, speech or film;
    pixels are those of a picture."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    base: float = Field(default=0, ge=0)
    per_second: float = Field(default=0, ge=0)
    per_megapixel: float = Field(default=0, ge=0)

    def units(self, *, seconds: float = 0.0, megapixels: float = 0.0) -> int:
        return math.ceil(self.base + self.per_second * seconds + self.per_megapixel * megapixels - 1e-9)


class Voice(Entry):
    """``preset``, ``speaker`` or ``sample`` say which voice of the model it is: a named one, a number, or a recording
    (a file relative to the weights' folder) with the words that are spoken in it."""

    id: str
    display_name: str
    language: Language
    gender: Literal["male", "female", "neutral"]
    age_range: Literal["child", "young", "adult", "elder"]
    tone: str
    use: Literal["narration", "dialogue"]
    preset: str | None = None
    speaker: int | None = Field(default=None, ge=0)
    sample: str | None = None
    sample_text: str = ""


class Model(Entry):
    """One entry. ``adapter`` is ``module:Class``; None where the task kind runs no model (encode).

    A model with ``weights`` runs on the torch device of its worker. ``vram_gb`` is what it needs at its default size,
    until the farm has measured it. ``options`` are the adapter's: see models/options.py. ``uses`` names the entries
    that help it: one that times words, one that compares pictures. ``paints_from_sheets`` names the model that paints
    in its place where a picture's characters have reference sheets. With several ``gpus`` it runs on gangs of as many
    and nowhere else, and needs ``vram_gb`` of each.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")
    display_name: str
    display_name_zh: str | None = None
    tasks: tuple[TaskKindName | HelperKind, ...] = Field(min_length=1)
    adapter: str | None = Field(default=None, pattern=r"^[\w.]+:\w+$")
    license: str
    default: bool = False
    languages: tuple[Language, ...] = Field(default=get_args(Language), min_length=1)
    """Those in which it understands what it is asked for. What speech models speak, their voices say."""
    device: Literal["cpu", "gpu"] = "cpu"
    cost: Cost = Cost()
    task_cost: dict[TaskKindName, Cost] = Field(default_factory=dict)
    """Instead of ``cost``, for those of its tasks that cost something else."""
    voice: tuple[Voice, ...] = ()
    weights: Weights | None = None
    vram_gb: float | None = Field(default=None, gt=0)
    needs: tuple[Literal["nvenc"], ...] = ()
    """What its workers must be found able to do. Where none is, its tasks wait."""
    gpus: int = Field(default=1, ge=1, le=16)
    terms: Terms = Terms()
    options: dict[str, Any] = Field(default_factory=dict)
    uses: dict[HelperKind, str] = Field(default_factory=dict)
    paints_from_sheets: str | None = None
    _parsed: Entry | None = PrivateAttr(default=None)

    @property
    def parsed_options(self) -> Entry | None:
        """The options as the adapter's own class; None where models/options.py has none for it."""
        return self._parsed

    @property
    def references(self) -> int:
        """How many reference pictures it takes when it paints."""
        return int(getattr(self._parsed, "references", self.options.get("references", 0)))

    @property
    def batch(self) -> int:
        """How many tasks it makes together at most: one where steps are skipped by how alike all of a batch are."""
        return 1 if getattr(self._parsed, "cache", None) is not None else int(getattr(self._parsed, "batch", 1))

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

    @model_validator(mode="after")
    def _needs_are_probed(self) -> "Model":
        if self.needs and self.device != "gpu":
            raise ValueError(f"needs: {self.needs[0]} is looked for on workers with a GPU: device must be gpu")
        return self

    @model_validator(mode="after")
    def _options_are_the_adapters(self) -> "Model":
        kind = OPTIONS.get(self.adapter or "")
        if kind is None:
            if self.options and (self.adapter or "models.").startswith("models."):
                raise ValueError(f"options: {self.adapter or 'an entry without an adapter'} takes none")
            return self
        if issubclass(kind, WeightedOptions) and self.weights is None:
            raise ValueError(f"weights: {self.adapter} needs some: hub, path or url")
        try:
            self._parsed = kind.model_validate(self.options)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(["options", *(str(part) for part in first["loc"])])
            raise ValueError(f"{field}: {first['msg'].removeprefix('Value error, ')}") from error
        return self

    @model_validator(mode="after")
    def _several_gpus_can_run_it(self) -> "Model":
        """What an adapter of somebody else's makes of them is its own affair."""
        if self.gpus == 1:
            return self
        if self.device != "gpu":
            raise ValueError(f"gpus: {self.gpus} of them, and device is {self.device}")
        if isinstance(self._parsed, DiffusionOptions):
            try:
                self._parsed.check_gang()
            except ValueError as error:
                raise ValueError(f"options.{error}") from error
        elif (self.adapter or "models.").startswith("models."):
            raise ValueError(f"gpus: {self.adapter or 'an entry without an adapter'} runs on one")
        return self


def _check_units(field: str, cost: Cost, kinds: Collection[str]) -> None:
    for unit, price, measured in (
        ("per_second", cost.per_second, _IN_SECONDS),
        ("per_megapixel", cost.per_megapixel, _IN_PIXELS),
    ):
        if price and not measured.intersection(kinds):
            raise ValueError(f"{field}.{unit}: only {', '.join(sorted(measured))} are priced by it")


class Catalog:
    """Entries by id, in file order. ``refused``: why an entry may not be used here, by id; it is in no other answer."""

    def __init__(self, models: Sequence[Model], usage: Usage | None = None) -> None:
        _check_together(models)
        reasons = {model.id: refusal(model.id, model.terms, usage) if usage else None for model in models}
        self.refused = {model_id: reason for model_id, reason in reasons.items() if reason is not None}
        self.models = {model.id: model for model in models if model.id not in self.refused}
        self.entries = tuple(models)

    def get(self, model_id: str) -> Model | None:
        return self.models.get(model_id)

    def for_task(self, kind: str) -> list[Model]:
        return [model for model in self.models.values() if kind in model.tasks]

    def first_for(self, kind: str) -> Model | None:
        """The default model of a task kind: the first marked default, else the first; None if there is none."""
        candidates = self.for_task(kind)
        return next((model for model in candidates if model.default), candidates[0] if candidates else None)

    def default_for(self, kind: str) -> Model:
        """As ``first_for``, for what cannot do without. Raises NoModelError."""
        model = self.first_for(kind)
        if model is None:
            raise NoModelError(kind)
        return model

    def unserved(self) -> list[str]:
        """The task kinds that no model is there for, or none that may be used."""
        return [kind for kind in get_args(TaskKindName) if not self.for_task(kind)]

    def unread(self) -> Iterator[tuple[Model, Language]]:
        """The models that are asked first, where they do not understand a language that films are made in."""
        first = {model.id: model for kind in get_args(TaskKindName) if (model := self.first_for(kind)) is not None}
        for model in first.values():
            yield from ((model, language) for language in get_args(Language) if language not in model.languages)

    def from_sheets(self, model_id: str) -> Model | None:
        """The model that paints from reference sheets where ``model_id`` was chosen; None where it does without."""
        model = self.models.get(model_id)
        if model is None or model.references:
            return model
        return self.models.get(model.paints_from_sheets or "")

    def helper(self, model: Model, kind: HelperKind) -> Model | None:
        """The entry that helps a model; None where it names none, or one that may not be used."""
        return self.models.get(model.uses.get(kind, ""))


def _check_together(models: Sequence[Model]) -> None:
    """Raises CatalogError, whose ``model_id`` is the entry at fault."""
    by_id: dict[str, Model] = {}
    voices: set[str] = set()
    for model in models:
        if model.id in by_id:
            raise CatalogError(f"another entry has the id {model.id}", model_id=model.id, field="id")
        by_id[model.id] = model
        for voice in model.voice:
            if voice.id in voices:
                raise CatalogError(f"another voice has the id {voice.id}", model_id=model.id, field="voice")
            voices.add(voice.id)
    for model in models:
        for kind, name in model.uses.items():
            if name not in by_id or kind not in by_id[name].tasks:
                raise CatalogError(f"no entry {name} with the task {kind}", model_id=model.id, field=f"uses.{kind}")
            if by_id[name].gpus > 1:
                raise CatalogError(f"{name} needs several GPUs of its own", model_id=model.id, field=f"uses.{kind}")
        sheets = model.paints_from_sheets
        if sheets is not None and (sheets not in by_id or not by_id[sheets].references):
            raise CatalogError(
                f"no entry {sheets} that takes references", model_id=model.id, field="paints_from_sheets"
            )
