"""Music: a piece of about the length asked for."""

from models.interfaces import Composer
from models.specs import MusicResult, MusicSpec
from pipelines.context import PartOfTask, TaskContext
from pipelines.media.audio import check_sound, write_flac


def run(spec: MusicSpec, model: Composer, context: TaskContext) -> MusicResult:
    """Raises BadSoundError for a result that is not music."""
    with context.phase("run"):
        sound, loops_cleanly = model.compose(spec, PartOfTask(context, 0.0, 0.9))
    with context.phase("decode"):
        duration_s = check_sound(sound)
        path = context.work_dir / "music.flac"
        write_flac(path, sound)
    with context.phase("upload"):
        audio = context.store(path, "audio/flac")
    context.progress(1.0)
    return MusicResult(audio=audio, duration_s=duration_s, loops_cleanly=loops_cleanly)
