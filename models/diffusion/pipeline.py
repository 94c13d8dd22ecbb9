"""What every adapter over a diffusers pipeline shares: how it is loaded, called, watched and checked."""

import inspect
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import diffusers
import structlog
import torch
from safetensors import SafetensorError, safe_open

from models.catalog import CatalogError, Model
from models.diffusion import memory, parallel, speed
from models.diffusion.encoding import reading_prompts
from models.diffusion.lora import fuse_lora
from models.diffusion.reuse import Reused, reusing
from models.diffusion.schedules import scheduler_class, set_scheduler
from models.diffusion.steps import Steps
from models.gang import Order, Park, Resume, Unload
from models.interfaces import Report
from models.options import DiffusionOptions
from models.specs import Language
from models.weight_reader import reading
from models.weighted import BadOutputError, BadWeightsError, Weighted
from models.weights import sole_weight_files, weight_files

log = structlog.get_logger(__name__)

O = TypeVar("O", bound=DiffusionOptions)  # noqa: E741 - O for options

# What reading a folder of broken, missing or foreign files raises out of diffusers, transformers and safetensors.
_BROKEN_FILES = (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, SafetensorError)


class DiffusionPipelineAdapter(Weighted[O]):
    """A subclass turns a spec into arguments, calls ``render`` and turns the output into what its interface returns.

    ``pipeline`` is the diffusers pipeline while it is loaded, ``offloading`` what of it is in host memory while it
    runs.
    """

    pipeline: Any = None
    offloading: memory.Offloading = "none"
    compile_backend: ClassVar[str] = "inductor"
    _loaded_bytes = 0

    def load(self) -> None:
        """Raises BadWeightsError where the folder has no weights of the pipeline that the options name, CatalogError
        where the options ask for what it cannot do, FollowerError where another GPU of its gang could not load it."""
        with parallel.loading(self.model, self.folder, self.device):
            self._load()

    def _load(self) -> None:
        options = self.options
        kind = pipeline_class(options)
        if options.quantization == "nf4" and self.device.kind == "cpu":
            raise CatalogError("nf4 needs a GPU: bitsandbytes packs the weights there", field="options.quantization")
        _check_class(self.folder, options.pipeline)
        try:
            variant = self.model.weights.variant if self.model.weights else None
            exact = self._exact()
            sizes = memory.component_bytes(
                self.folder, self.dtype, variant=variant, quantization=options.quantization, exact=exact
            )
            pixels = getattr(options, "max_pixels", 0)
            decoded = torch.float32 if "vae" in exact else self.dtype
            self.offloading, tiled = memory.plan(self.device, options.offload, sizes, pixels, decoded)
            # What is made smaller is made so in host memory: the device never has to hold it whole.
            on_device = self.offloading == "none" and options.quantization != "fp8"
            dtypes = {name: torch.float32 if name in exact else self.dtype for name in sizes}
            # bitsandbytes packs one weight after the other, and would have to wait for all of them.
            files = [
                (path, dtype)
                for name, dtype in dtypes.items()
                for path in sole_weight_files(self.folder / name, variant)
                if options.quantization != "nf4"
            ]
            with reading(files, self.device.torch if on_device else torch.device("cpu")):
                pipeline = kind.from_pretrained(
                    str(self.folder),
                    dtype={"default": self.dtype, **dtypes} if exact else self.dtype,
                    variant=variant,
                    use_safetensors=True,
                    local_files_only=True,
                    low_cpu_mem_usage=True,
                    device_map="cuda" if self.device.kind == "cuda" and on_device else None,
                    quantization_config=memory.nf4(sizes, self.dtype) if options.quantization == "nf4" else None,
                    **self._components(),
                )
            _check_complete(pipeline, self.folder, variant)
        except (BadWeightsError, torch.OutOfMemoryError, torch.AcceleratorError):
            raise
        except _BROKEN_FILES as error:
            raise BadWeightsError(f"{self.folder}: {error}") from error
        pipeline.set_progress_bar_config(disable=True)
        if options.scheduler is not None:
            set_scheduler(pipeline, options.scheduler)
        self._loaded(pipeline)
        for lora in options.lora:
            fuse_lora(pipeline, self.folder, lora)
        if options.quantization == "fp8":
            memory.cast_to_fp8(pipeline, self.dtype)
            if self.offloading == "none":
                pipeline.to(self.device.torch)
        if tiled or self._always_tiled():
            memory.decode_in_tiles(pipeline)
        gang = parallel.gang_of(self.model, self.device)
        if gang is None:
            speed.set_attention(pipeline, options.attention, self.device.capability, self.dtype)
        else:
            parallel.split(pipeline, gang, self.model.id)
        if options.cache is not None:
            speed.cache_steps(pipeline, options.cache, self.dtype)
        self.pipeline = pipeline
        self._loaded_bytes = super().weight_bytes
        memory.offload(pipeline, self.offloading, self.device)
        self._compiled = gang is None and speed.choose_compile(
            options.compile,
            gpu=self.device.kind == "cuda",
            offloading=self.offloading,
            quantization=options.quantization,
            cached=options.cache is not None,
        )
        if self._compiled:
            speed.compile_blocks(pipeline, backend=self.compile_backend, cache_dir=self.device.cache_dir)
        self._compiled_sizes: set[Any] = set()
        self._prompts, self._latents = Reused(), Reused()

    @classmethod
    def check(cls, model: Model, folder: Path) -> None:
        options = model.parsed_options
        if not isinstance(options, DiffusionOptions):
            raise CatalogError(f"{cls.__name__} needs the options of a pipeline", model_id=model.id, field="options")
        try:
            pipeline_class(options)
            if options.scheduler is not None:
                scheduler_class(options.scheduler)
            if folder.is_dir():
                _check_class(folder, options.pipeline)
        except CatalogError as error:
            raise CatalogError(error.message, model_id=model.id, field=error.field) from error
        except BadWeightsError as error:
            raise CatalogError(str(error), model_id=model.id, field="options.pipeline") from error

    def _components(self) -> dict[str, Any]:
        """Parts that are not to be loaded as the folder says."""
        return {}

    def _exact(self) -> Collection[str]:
        """Parts that have to compute in 32 bits, whatever the others do."""
        return ()

    def _always_tiled(self) -> bool:
        """Whether it is not to decode whole, however large the card is."""
        return False

    def _loaded(self, pipeline: Any) -> None:
        """Make of a fresh pipeline's parts what else is needed, before anything is done to them."""

    def _modules(self) -> Iterator[torch.nn.Module]:
        if self.pipeline is not None:
            for component in self.pipeline.components.values():
                if isinstance(component, torch.nn.Module):
                    yield component

    def _release(self) -> None:
        self._forget()
        self.pipeline = None

    def _together(self, order: Order) -> AbstractContextManager[None]:
        gang = parallel.gang_of(self.model, self.device)
        return nullcontext() if gang is None else gang.together(order)

    def take_part(self, part: str, arguments: Any) -> None:
        """On a follower of a gang: pass through a part of the pipeline with its lead."""
        with torch.inference_mode(), speed.best_attention(self.device.capability):
            parallel.take_part(getattr(self.pipeline, part), arguments, self.device)

    def unload(self) -> None:
        with self._together(Unload(self.model.id)):
            super().unload()

    def _understood(self, language: Language, report: Report) -> Language:
        """The language to ask for something in that is told in ``language``. Notes one that the model does not know as
        ``language_not_understood``: its words are passed on, and do little."""
        known = self.model.languages
        if language in known:
            return language
        report.note(language_not_understood=language)
        log.warning("the model does not understand the prompt's language", model=self.model.id, language=language)
        return known[0]

    def _forget(self) -> None:
        """Let go of what is kept between calls."""
        if self.pipeline is not None:
            self._prompts.clear()
            self._latents.clear()

    @property
    def weight_bytes(self) -> int:
        # As counted when they were loaded: what is offloaded has no tensors of its own between calls.
        return self._loaded_bytes if self.pipeline is not None else 0

    @property
    def cache_bytes(self) -> int:
        return self._prompts.held_bytes + self._latents.held_bytes if self.pipeline is not None else 0

    def park(self) -> None:
        self._forget()
        with self._together(Park(self.model.id)):
            if self.offloading == "none":
                super().park()
            else:
                self.device.empty_cache()

    def resume(self) -> None:
        with self._together(Resume(self.model.id)):
            if self.offloading == "none":
                super().resume()

    def render(
        self,
        report: Report,
        *,
        steps: int,
        seed: int | Sequence[int],
        preview: bool = True,
        pipeline: Any = None,
        **arguments: Any,
    ) -> Any:
        """Call the pipeline, or another ``pipeline`` made of its parts; returns its output.

        ``seed`` may be several, one for each of a batch of prompts. Raises BadOutputError where the latents are not
        finite, TypeError for an argument that the pipeline does not take, and what ``report`` raises; the pipeline
        can be called again after each.
        """
        called = pipeline or self.pipeline
        accepted = accepted_arguments(type(called))
        arguments = {**_guidance(called, accepted, self.options.guidance_scale), **self.options.arguments, **arguments}
        unknown = sorted(set(arguments) - accepted)
        if unknown:
            raise TypeError(f"{type(called).__name__} takes no {', '.join(unknown)}")
        seeds = [seed] if isinstance(seed, int) else list(seed)
        generators = [torch.Generator("cpu").manual_seed(one) for one in seeds]  # the same picture on every card
        # To decode while the denoiser waits would move it off the device and back.
        every = self.options.preview_every if preview and self.offloading in {"none", "group"} else 0
        watch = Steps(called, report, steps, every=every, arguments=arguments)
        check = _CheckOnce(watch)
        arguments["generator"] = generators[0] if isinstance(seed, int) else generators
        arguments["num_inference_steps"] = steps
        with ExitStack() as around:
            # A call that was cancelled leaves caches of its steps behind, and parts on the device.
            around.callback(self.pipeline.maybe_free_model_hooks)
            around.enter_context(torch.inference_mode())
            if self.options.attention == "auto":
                around.enter_context(speed.best_attention(self.device.capability))
            around.enter_context(_own_randomness(seeds[0]))
            around.enter_context(_watched_decoding(called, report, check))
            if hasattr(called, "encode_prompt"):
                around.enter_context(reading_prompts(called, self._prompts, report))
            if hasattr(getattr(called, "vae", None), "encode"):
                around.enter_context(reusing(called.vae, "encode", self._latents))
            if self._compiled:
                around.enter_context(speed.compiling(called, report, self._compiled_sizes))
            if "callback_on_step_end" in accepted:
                arguments["callback_on_step_end"] = watch.on_step_end
            else:
                around.enter_context(watch.of_scheduler())
            output = called(**arguments)
            check()
        return output


def pipeline_class(options: DiffusionOptions) -> Any:
    """The class that the options name. Raises CatalogError where diffusers has none of it, or it does not take their
    ``arguments``."""
    kind = getattr(diffusers, options.pipeline, None)
    if not inspect.isclass(kind) or not issubclass(kind, diffusers.DiffusionPipeline):
        message = f"diffusers {diffusers.__version__} has no pipeline {options.pipeline}"
        raise CatalogError(message, field="options.pipeline")
    unknown = sorted(set(options.arguments) - accepted_arguments(kind))
    if unknown:
        raise CatalogError(f"{options.pipeline} takes no {', '.join(unknown)}", field="options.arguments")
    return kind


def accepted_arguments(kind: Any) -> set[str]:
    """What a call of a pipeline takes, by name."""
    parameters = inspect.signature(kind.__call__).parameters.values()
    return {each.name for each in parameters if each.kind is not each.VAR_KEYWORD and each.name != "self"}


_SAME_FILES = ({"LTX2Pipeline", "LTX2ImageToVideoPipeline", "LTX2ConditionPipeline"},)
"""Pipelines of the same parts: whichever of them a folder names, the others read it too."""


def _check_class(folder: Path, name: str) -> None:
    """A folder may name any class; only the one that the catalog names is read."""
    index = folder / "model_index.json"
    try:
        found = json.loads(index.read_text(encoding="utf-8")).get("_class_name")
    except (OSError, ValueError, AttributeError) as error:
        raise BadWeightsError(f"{index}: {error}") from error
    if found != name and not any({found, name} <= alike for alike in _SAME_FILES if isinstance(found, str)):
        raise BadWeightsError(f"{index} is of {found}, the catalog says {name}")


def _check_complete(pipeline: Any, folder: Path, variant: str | None) -> None:
    """A weight that is in no file would be left at random. Those of diffusers' models are looked for by name;
    transformers renames some as it reads them, so they are counted. Raises BadWeightsError."""
    for name, component in pipeline.components.items():
        if not isinstance(component, torch.nn.Module) or getattr(component, "hf_quantizer", None) is not None:
            continue
        files = weight_files(folder / name, variant)
        weights = dict(component.named_parameters())
        if isinstance(component, diffusers.ModelMixin):
            named = dict.fromkeys(_names_in(files))
            component._fix_state_dict_keys_on_load(named)  # older files have other names for some
            missing = sorted(set(weights) - set(named))
            if missing:
                raise BadWeightsError(f"{folder / name}: no file has {missing[0]}")
        elif sum(weight.numel() for weight in weights.values()) > sum(memory.weights_in(path) for path in files):
            raise BadWeightsError(f"{folder / name}: the files have fewer weights than the model")


def _names_in(files: Iterable[Path]) -> set[str]:
    names: set[str] = set()
    for path in files:
        with safe_open(str(path), "pt") as file:
            names.update(file.keys())
    return names


def _guidance(pipeline: Any, accepted: set[str], scale: float | None) -> dict[str, float]:
    """The scale under the names that the pipeline has for it: ``true_cfg_scale`` is the one that takes a negative
    prompt where there are two; a pipeline with a guider takes it there."""
    if scale is None:
        return {}
    if "true_cfg_scale" in accepted:
        return {"true_cfg_scale": scale}
    if "guidance_scale" in accepted:
        return {"guidance_scale": scale}
    guider = getattr(pipeline, "guider", None)
    if guider is None:
        raise TypeError(f"{type(pipeline).__name__} takes no guidance_scale")
    pipeline.guider = guider.new(guidance_scale=scale)
    return {}


@contextmanager
def _own_randomness(seed: int) -> Iterator[None]:
    """Whatever draws from the global generator, in spite of ``generator``, draws the same for the same seed."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield


class _CheckOnce:
    """Waits for the device, so it is done once, when the loop is over."""

    def __init__(self, watch: Steps) -> None:
        self._watch = watch
        self._done = False

    def __call__(self) -> None:
        latents = self._watch.latents
        if self._done or latents is None:
            return
        self._done = True
        if not bool(torch.isfinite(latents).all()):
            raise BadOutputError("the latents are not finite: try dtype bfloat16 or float32")


@contextmanager
def _watched_decoding(pipeline: Any, report: Report, check: _CheckOnce) -> Iterator[None]:
    """Decoding is a phase of its own, and begins with the check of what is decoded."""
    decoders = [
        component
        for component in pipeline.components.values()
        if isinstance(component, torch.nn.Module) and callable(getattr(component, "decode", None))
    ]
    for decoder in decoders:
        decoder.decode = _in_decode_phase(decoder.decode, report, check)
    try:
        yield
    finally:
        for decoder in decoders:
            del decoder.decode


def _in_decode_phase(decode: Any, report: Report, check: _CheckOnce) -> Any:
    def decode_latents(*arguments: Any, **named: Any) -> Any:
        check()
        with report.phase("decode"):
            return decode(*arguments, **named)

    return decode_latents
