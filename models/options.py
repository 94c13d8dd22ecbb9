"""What a catalog entry may say to its adapter under ``options``: one class per adapter. Pure data, loads no engine.

An option that changes the picture or the sound for speed says what it costs in ``measured_cost``, in words and figures
that `reelfarm models bench` prints; a catalog without them is refused.
"""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from models.sources import Entry

Dtype = Literal["bfloat16", "float16", "float32"]
Offload = Literal["auto", "none", "model", "group", "sequential"]


class WeightedOptions(Entry):
    """Of every adapter that has weights.

    ``quantization``: ``fp8`` keeps weights as 8-bit floats and computes in ``dtype``; ``nf4`` keeps them in 4 bits
    (bitsandbytes). ``offload``: how much of the model stays in host memory while it runs; ``auto`` chooses by the
    card's memory.
    """

    dtype: Dtype = "bfloat16"
    quantization: Literal["none", "fp8", "nf4"] = "none"
    offload: Offload = "auto"


class Lora(Entry):
    """A low-rank adaptation to be fused, such as one that is distilled to few steps. ``path`` is a safetensors file,
    relative to the weights' folder. ``into``: which of two denoisers it is for, where the file does not say."""

    path: Path
    scale: float = 1.0
    into: Literal["transformer", "transformer_2"] | None = None
    measured_cost: str = Field(min_length=1)


_FLOWS = ("FlowMatchEulerDiscreteScheduler",)
_MULTISTEP = ("UniPCMultistepScheduler", "DPMSolverMultistepScheduler")
SCHEDULERS: dict[str, tuple[str, ...]] = {
    "ZImagePipeline": _FLOWS,
    "Flux2KleinPipeline": _FLOWS,
    "QwenImageEditPlusPipeline": _FLOWS,
    "LTX2ImageToVideoPipeline": _FLOWS,
    "LTX2ConditionPipeline": _FLOWS,
    "HunyuanVideo15ImageToVideoPipeline": _FLOWS,
    "AceStepPipeline": _FLOWS,
    "WanImageToVideoPipeline": (*_FLOWS, *_MULTISTEP),
    "StableDiffusionXLPipeline": (
        *_MULTISTEP,
        "DDIMScheduler",
        "EulerAncestralDiscreteScheduler",
        "EulerDiscreteScheduler",
        "LCMScheduler",
        "TCDScheduler",
    ),
}
"""By pipeline, what an entry may name instead of the scheduler that is among the files: those that its loop can be
stepped with. Flow pipelines that shift by a picture's size hand over their own sigmas, which few schedulers take."""


SPLIT = frozenset({"WanImageToVideoPipeline"})
"""Pipelines whose denoiser several GPUs can compute together."""


class Scheduler(Entry):
    """Another scheduler than the files name, such as the one that a distilled model was trained for. ``arguments`` are
    of its class and go before what the files say."""

    name: str = Field(pattern=r"^[A-Z]\w+Scheduler$")
    arguments: dict[str, Any] = Field(default_factory=dict)


class StepCache(Entry):
    """Steps that reuse what earlier steps computed. ``first_block`` does where the first block changes by less than
    ``threshold``; ``taylorseer`` computes one step in ``interval`` and extrapolates the others."""

    kind: Literal["first_block", "taylorseer"]
    threshold: float = Field(default=0.05, gt=0)
    interval: int = Field(default=5, ge=2)
    measured_cost: str = Field(min_length=1)

    @model_validator(mode="after")
    def _has_only_its_own(self) -> "StepCache":
        foreign = "interval" if self.kind == "first_block" else "threshold"
        if foreign in self.model_fields_set:
            raise ValueError(f"{foreign}: {self.kind} has none")
        return self


class DiffusionOptions(WeightedOptions):
    """Of every diffusers pipeline. ``pipeline`` is its class; ``arguments`` are passed to each call as they are.

    ``compile``: the repeated blocks through torch.compile; ``auto`` does it on a GPU. ``attention``: a backend of
    diffusers; ``auto`` takes the best that the card and the installed packages offer.
    """

    pipeline: str = Field(pattern=r"^[A-Z]\w+Pipeline$")
    steps: int = Field(ge=1, le=200)
    guidance_scale: float | None = Field(default=None, ge=0)
    arguments: dict[str, Any] = Field(default_factory=dict)
    compile: bool | Literal["auto"] = "auto"
    attention: str = "auto"
    preview_every: int = Field(default=4, ge=0)
    """Steps between previews; 0 shows none."""
    scheduler: Scheduler | None = None
    lora: tuple[Lora, ...] = ()
    """One or several, such as one for each of two denoisers."""
    cache: StepCache | None = None

    @field_validator("lora", mode="before")
    @classmethod
    def _one_is_enough(cls, given: Any) -> Any:
        return (given,) if isinstance(given, dict | Lora) else given

    @model_validator(mode="after")
    def _lora_can_be_fused(self) -> "DiffusionOptions":
        if self.lora and self.quantization == "nf4":
            raise ValueError("lora: it cannot be fused into weights of 4 bits")
        return self

    @model_validator(mode="after")
    def _scheduler_fits(self) -> "DiffusionOptions":
        known = SCHEDULERS.get(self.pipeline, ())
        if self.scheduler is not None and self.scheduler.name not in known:
            fitting = ", ".join(known) or "no other"
            raise ValueError(f"scheduler.name: {self.pipeline} takes {fitting}, not {self.scheduler.name}")
        return self

    def check_gang(self) -> None:
        """Whether a gang of GPUs can run it. Raises ValueError for what was never tried on several."""
        if self.pipeline not in SPLIT:
            raise ValueError(f"pipeline: of several GPUs together only {', '.join(sorted(SPLIT))} is computed")
        if self.offload != "none":
            raise ValueError("offload: on several GPUs nothing stays in host memory: say none")
        if self.quantization != "none" or self.cache is not None:
            field = "cache" if self.quantization == "none" else "quantization"
            raise ValueError(f"{field}: it cannot be used on several GPUs")
        if self.compile is True:
            raise ValueError("compile: it cannot be used on several GPUs")
        if self.attention not in {"auto", "native"}:
            raise ValueError("attention: on several GPUs it is native")


class PainterOptions(DiffusionOptions):
    """``references``: how many pictures the pipeline takes as references. ``multiple_of``: what width and height must
    divide by. ``max_pixels``: more are painted smaller and scaled up. ``strength``: how much of a picture is painted
    anew where it is to be changed, by a pipeline that starts from it instead of looking at it. ``min_identity``: a shot
    whose likeness to its characters' sheets, -1 to 1, is less is painted again, ``tries`` times at most; the best is
    kept. ``batch``: so many pictures of one size are painted together at most, where that was seen to save time."""

    references: int = Field(default=0, ge=0, le=16)
    multiple_of: int = Field(default=16, ge=1)
    max_pixels: int = Field(default=2048 * 2048, ge=64 * 64)
    strength: float = Field(default=0.6, gt=0, le=1)
    min_identity: float | None = Field(default=None, ge=-1, le=1)
    tries: int = Field(default=2, ge=1, le=8)
    batch: int = Field(default=4, ge=1, le=32)


class AnimatorOptions(DiffusionOptions):
    """``fps`` is the model's own. It makes ``frames_step * n + 1`` frames, ``max_frames`` at most; a longer clip goes
    on from the last frame. Pictures have at most ``max_pixels`` and sides that divide by ``multiple_of``."""

    fps: int = Field(ge=1, le=60)
    max_frames: int = Field(ge=5)
    frames_step: int = Field(default=4, ge=1)
    multiple_of: int = Field(default=16, ge=1)
    max_pixels: int = Field(default=832 * 480, ge=64 * 64)

    @model_validator(mode="after")
    def _frames_fit(self) -> "AnimatorOptions":
        if (self.max_frames - 1) % self.frames_step:
            raise ValueError(f"max_frames must be {self.frames_step} * n + 1, not {self.max_frames}")
        return self


class ComposerOptions(DiffusionOptions):
    """Longer music than ``max_duration_s`` is a loop."""

    max_duration_s: float = Field(default=120, gt=0)


class WholeOptions(WeightedOptions):
    """Of models that are small enough to be wholly on any card."""

    offload: Literal["auto", "none"] = "auto"


class MusicgenOptions(WholeOptions):
    """``max_duration_s``: what the model holds together; longer music is a loop."""

    guidance_scale: float = Field(default=3.0, ge=1)
    max_duration_s: float = Field(default=30, gt=0)
    temperature: float = Field(default=1.0, gt=0)


class SpeakerOptions(WholeOptions):
    """``max_chars``: longer lines are spoken sentence by sentence."""

    max_chars: int = Field(default=200, ge=20)


class VitsOptions(SpeakerOptions):
    """Its convolutions are made anew from their norms in every pass, and have to be kept as they are."""

    quantization: Literal["none"] = "none"


class TokenSpeakerOptions(SpeakerOptions):
    """Of models that draw their tokens: a higher ``temperature`` is livelier and less sure."""

    temperature: float = Field(default=0.7, gt=0)


class AlignerOptions(WholeOptions):
    pass


class EmbedderOptions(WholeOptions):
    pass


class WriterOptions(WeightedOptions):
    """``prompts`` is the version of the prompt templates. ``context_tokens``: how much the model reads at once; a
    longer text is read in parts."""

    prompts: str = Field(default="v1", pattern=r"^v\d+$")
    context_tokens: int = Field(default=16384, ge=512)
    max_new_tokens: int = Field(default=6144, ge=64)
    temperature: float = Field(default=0.7, ge=0)
    top_p: float = Field(default=0.9, gt=0, le=1)


OPTIONS: dict[str, type[Entry]] = {
    "models.diffusion.painter:DiffusionPainter": PainterOptions,
    "models.diffusion.animator:DiffusionAnimator": AnimatorOptions,
    "models.diffusion.composer:DiffusionComposer": ComposerOptions,
    "models.music.musicgen:MusicgenComposer": MusicgenOptions,
    "models.speech.vits:VitsSpeaker": VitsOptions,
    "models.speech.bark:BarkSpeaker": TokenSpeakerOptions,
    "models.speech.vibevoice:VibeVoiceSpeaker": SpeakerOptions,
    "models.speech.higgs:HiggsSpeaker": TokenSpeakerOptions,
    "models.speech.alignment:ForcedAligner": AlignerOptions,
    "models.vision.embedding:ImageEmbedder": EmbedderOptions,
    "models.language.writer:LanguageModelWriter": WriterOptions,
}
"""By adapter. An adapter of somebody else's, not listed here, checks its options itself."""
