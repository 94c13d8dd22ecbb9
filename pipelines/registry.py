"""Every task kind a worker can run: pure data, so the scheduler and the control plane can read it.

``module`` is imported by the worker alone; it has ``run(spec, model, context) -> result``, where ``model`` is the
adapter instance of the task's catalog entry (None for a kind without a model) and ``context`` is a
``pipelines.context.TaskContext``.
"""

from dataclasses import dataclass, field

from pydantic import BaseModel

from models import specs


@dataclass(frozen=True)
class TaskKind:
    """``phase_budgets_s``: seconds a phase may go without progress before its worker counts as hung."""

    name: str
    module: str
    spec: type[specs.Spec]
    result: type[specs.Result]
    phase_budgets_s: dict[str, float] = field(default_factory=dict)

    def budgets_s(self, *, weighted: bool) -> dict[str, float]:
        """``weighted``: a model with weights runs it, whose step takes minutes on a card that streams them."""
        return {**self.phase_budgets_s, **_WEIGHTED_BUDGETS_S} if weighted else self.phase_budgets_s

    def shape(self, spec: specs.Spec) -> str:
        """By what a task's need of memory and time goes, beside its model: ``1280x720`` pixels, ``x121`` frames,
        ``30s`` of sound."""
        match spec:
            case specs.ImageSpec():
                return f"{spec.width}x{spec.height}"
            case specs.VideoSpec():
                return f"{spec.width}x{spec.height}x{round(spec.duration_s * spec.fps)}"
            case specs.MusicSpec():
                return f"{round(spec.duration_s)}s"
            case _:
                return self.name

    def batch(self, spec: BaseModel) -> str:
        """What tasks of one model have to have in common to be made in one call; empty for what is made alone, such
        as a picture that goes by others, which may be tried again until it is like them."""
        if self.name != "text_to_image" or not isinstance(spec, specs.ImageSpec):
            return ""
        shown = [spec.reference_keys, *(subject.reference_keys for subject in spec.subjects)]
        if any(shown) or (spec.place is not None and spec.place.reference_keys):
            return ""
        return self.shape(spec)


_DEFAULT_BUDGETS_S = {"fetch": 60.0, "load": 120.0, "compile": 600.0, "run": 20.0, "decode": 60.0, "upload": 60.0}

_WEIGHTED_BUDGETS_S = {"run": 300.0, "decode": 300.0}


def _kind(name: str, spec: type[specs.Spec], result: type[specs.Result], **budgets_s: float) -> TaskKind:
    return TaskKind(name, f"pipelines.{name}", spec, result, {**_DEFAULT_BUDGETS_S, **budgets_s})


TASK_KINDS: dict[str, TaskKind] = {
    kind.name: kind
    for kind in (
        _kind("script", specs.ScriptSpec, specs.ScriptResult),
        _kind("text_to_image", specs.ImageSpec, specs.ImageResult),
        _kind("image_to_image", specs.ImageSpec, specs.ImageResult),
        _kind("image_to_video", specs.VideoSpec, specs.VideoResult),
        _kind("speech", specs.SpeechSpec, specs.SpeechResult),
        _kind("music", specs.MusicSpec, specs.MusicResult),
        _kind("encode", specs.EncodeSpec, specs.EncodeResult),
    )
}
