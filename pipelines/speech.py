"""Speech: one spoken line and the times of its words."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, cast

from models.interfaces import Sound, Speaker, Speech
from models.specs import Language, SpeechResult, SpeechSpec, Word
from pipelines.context import PartOfTask, TaskContext
from pipelines.media.audio import check_sound, write_flac

if TYPE_CHECKING:
    from models.interfaces import Aligner, Report

_LONGEST_S = 40.0
"""What an aligner hears at once: these models were trained on some minutes, and one can be cancelled between."""


def run(spec: SpeechSpec, model: Speaker, context: TaskContext) -> SpeechResult:
    """Raises UserInputError for a text or voice that cannot be spoken, BadSoundError for a result that is not
    speech."""
    with context.phase("run"):
        speech = model.speak(spec, PartOfTask(context, 0.0, 0.8))
    words = speech.words
    with context.phase("decode"):
        duration_s = check_sound(speech.sound)
        if (aligner := context.helper("alignment")) is not None:
            words = aligned(cast("Aligner", aligner), speech, spec.language, PartOfTask(context, 0.8, 0.15))
        path = context.work_dir / "speech.flac"
        write_flac(path, speech.sound)
    with context.phase("upload"):
        audio = context.store(path, "audio/flac")
    context.progress(1.0)
    return SpeechResult(audio=audio, duration_s=duration_s, words=words)


def aligned(aligner: "Aligner", speech: Speech, language: Language, report: "Report") -> list[Word]:
    """The words with the times that an aligner hears, stretch by stretch of some half a minute; where it finds no
    words, the speaker's."""
    rate = speech.sound.sample_rate
    end_s = speech.sound.samples.shape[1] / rate
    words: list[Word] = []
    stretches = list(_stretches(speech.words))
    for number, (stretch, following) in enumerate(zip(stretches, [*stretches[1:], None], strict=True)):
        report(number / len(stretches))
        begin = _between(stretches[number - 1][-1], stretch[0]) if number else 0.0
        end = _between(stretch[-1], following[0]) if following else end_s
        heard = Sound(speech.sound.samples[:, round(begin * rate) : round(end * rate)], rate)
        found = aligner.align(heard, "".join(word.text for word in stretch), language)
        words += [
            Word(text=word.text, start_s=round(begin + word.start_s, 4), end_s=round(begin + word.end_s, 4))
            for word in found
        ] or stretch
    report(1.0)
    return words


def _between(before: Word, after: Word) -> float:
    return (before.end_s + after.start_s) / 2


def _stretches(words: Sequence[Word]) -> Iterator[list[Word]]:
    """Neighbouring words of at most ``_LONGEST_S`` together (or a single one), cut at the longest pause in the second
    half of that."""
    start = 0
    while start < len(words):
        limit = words[start].start_s + _LONGEST_S
        cut = len(words)
        if words[-1].end_s > limit:
            earliest = limit - _LONGEST_S / 2
            within = [i for i in range(start + 1, len(words)) if earliest <= words[i - 1].end_s <= limit]
            cut = max(within, key=lambda i: words[i].start_s - words[i - 1].end_s, default=start + 1)
        yield list(words[start:cut])
        start = cut
