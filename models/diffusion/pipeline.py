"""What every adapter over a diffusers pipeline shares: how it is loaded, called, watched and checked."""

import inspect
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import diffusers
import torch
from safetensors import SafetensorError

from models.diffusion.steps import Steps
from models.interfaces import Report
from models.options import DiffusionOptions
from models.weighted import BadOutputError, BadWeightsError, Weighted

O = TypeVar("O", bound=DiffusionOptions)  # noqa: E741 - O for options

# What reading a folder of broken, missing or foreign files raises out of diffusers, transformers and safetensors.
_BROKEN_FILES = (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, SafetensorError)


class DiffusionPipelineAdapter(Weighted[O]):
    """A subclass turns a spec into arguments, calls ``render`` and turns the output into what its interface returns.

    ``pipeline`` is the diffusers pipeline while it is loaded.
    """

    pipeline: Any = None

    def load(self) -> None:
        """Raises BadWeightsError where the folder has no weights of the pipeline that the options name."""
        kind = _pipeline_class(self.options.pipeline)
        _check_class(self.folder, self.options.pipeline)
        try:
            self.pipeline = kind.from_pretrained(
                str(self.folder),
                dtype=self.dtype,
                use_safetensors=True,
                local_files_only=True,
                low_cpu_mem_usage=True,
                device_map="cuda" if self.device.kind == "cuda" else None,
            )
        except torch.OutOfMemoryError:
            raise
        except _BROKEN_FILES as error:
            raise BadWeightsError(f"{self.folder}: {error}") from error
        self.pipeline.set_progress_bar_config(disable=True)

    def _modules(self) -> Iterator[torch.nn.Module]:
        if self.pipeline is not None:
            for component in self.pipeline.components.values():
                if isinstance(component, torch.nn.Module):
                    yield component

    def _release(self) -> None:
        self.pipeline = None

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
        accepted = inspect.signature(called.__call__).parameters
        arguments = {**_guidance(called, accepted, self.options.guidance_scale), **self.options.arguments, **arguments}
        unknown = sorted(set(arguments) - set(accepted))
        if unknown:
            raise TypeError(f"{type(called).__name__} takes no {', '.join(unknown)}")
        watch = Steps(called, report, steps, every=self.options.preview_every if preview else 0)
        if "callback_on_step_end" in accepted:
            arguments["callback_on_step_end"] = watch.on_step_end
        arguments["generator"] = (
            _generator(seed) if isinstance(seed, int) else [_generator(one_seed) for one_seed in seed]
        )
        checked = _CheckOnce(watch)
        try:
            with (
                torch.inference_mode(),
                _own_randomness(seed if isinstance(seed, int) else seed[0]),
                watch.of_scheduler(called, "callback_on_step_end" not in accepted),
                _watched_decoding(called, report, checked),
            ):
                output = called(num_inference_steps=steps, **arguments)
                checked()
        finally:
            # A call that was cancelled leaves caches of its steps behind, and parts on the device.
            called.maybe_free_model_hooks()
        return output


def _pipeline_class(name: str) -> Any:
    kind = getattr(diffusers, name, None)
    if not inspect.isclass(kind) or not issubclass(kind, diffusers.DiffusionPipeline):
        raise BadWeightsError(f"diffusers {diffusers.__version__} has no pipeline {name}")
    return kind


def _check_class(folder: Path, name: str) -> None:
    """A folder may name any class; only the one that the catalog names is read."""
    index = folder / "model_index.json"
    try:
        found = json.loads(index.read_text(encoding="utf-8")).get("_class_name")
    except (OSError, ValueError, AttributeError) as error:
        raise BadWeightsError(f"{index}: {error}") from error
    if found != name:
        raise BadWeightsError(f"{index} is of {found}, the catalog says {name}")


def _guidance(pipeline: Any, accepted: Any, scale: float | None) -> dict[str, float]:
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


def _generator(seed: int) -> torch.Generator:
    # On the CPU, so that every card makes the same picture of a seed.
    return torch.Generator("cpu").manual_seed(seed)


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
