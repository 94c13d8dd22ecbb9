"""Speech: one spoken line and the times of its words."""

from models.interfaces import Speaker
from models.specs import SpeechResult, SpeechSpec
from pipelines.context import PartOfTask, TaskContext
from pipelines.media.audio import check_sound, write_flac


def run(spec: SpeechSpec, model: Speaker, context: TaskContext) -> SpeechResult:
    """Raises UserInputError for a text or voice that cannot be spoken, BadSoundError for a result that is not
    speech."""
    with context.phase("run"):
        speech = model.speak(spec, PartOfTask(context, 0.0, 0.9))
    with context.phase("decode"):
        duration_s = check_sound(speech.sound)
        path = context.work_dir / "speech.flac"
        write_flac(path, speech.sound)
    with context.phase("upload"):
        audio = context.store(path, "audio/flac")
    context.progress(1.0)
    return SpeechResult(audio=audio, duration_s=duration_s, words=speech.words)
