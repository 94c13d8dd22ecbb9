"""The preview of a preset, or of a style without a picture, was rendered."""

from control_plane.artifacts import tables as artifacts
from control_plane.assets.previews import PREVIEW_REACTION
from control_plane.reactions import reaction
from control_plane.work import Work
from models.specs import ImageResult, MusicResult, SpeechResult
from scheduler.task import FinishedTask, TaskState


@reaction(PREVIEW_REACTION)
async def preview_rendered(work: Work, task: FinishedTask) -> None:
    """A preview that failed stays "not there yet": nothing depends on it."""
    if task.state is not TaskState.SUCCEEDED:
        return
    if task.kind in {"speech", "music"}:
        kind = SpeechResult if task.kind == "speech" else MusicResult
        sound = kind.model_validate(task.result)
        await artifacts.fulfil(work.session, task.context["content"], sound.audio, sound.provenance)
        return
    result = ImageResult.model_validate(task.result)
    await artifacts.fulfil(work.session, task.context["content"], result.image, result.provenance)
    await artifacts.fulfil(work.session, task.context["thumbnail"], result.thumbnail, result.provenance)
