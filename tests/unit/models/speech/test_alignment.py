"""The times of words by a forced aligner of the real class, and in the speech pipeline."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.interfaces import Sound, Speech
from models.specs import SpeechSpec, Word
from models.speech.alignment import ForcedAligner
from models.weighted import BadOutputError
from pipelines import speech as pipeline
from pipelines.context import LocalContext, TaskCancelled
from tests.tiny.adapters import adapter_of, entry_of
from tests.tiny.alignment import ALIGNER_BINS, build_aligner, hum
from tests.unit.models.reports import FakeReport

pytestmark = pytest.mark.xdist_group("torch")

TEXTS = {"en": "“Hello”, don't go: 3.14 e-mails!", "zh": "你好，world。今天下雨！"}


class Classes(torch.nn.Module):
    """A classifier that tells the times it was given, mark by mark; the marks are the last tokens but for the words."""

    def __init__(self, marks: torch.Tensor, classes: list[int]) -> None:
        super().__init__()
        self._marks, self._classes = marks, classes

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        logits = torch.zeros(*hidden.shape[:2], ALIGNER_BINS)
        for position, number in zip(self._marks.nonzero()[:, 0].tolist(), self._classes, strict=True):
            logits[0, position, number] = 1.0
        return logits


@pytest.fixture(scope="module")
def aligner(tmp_path_factory: pytest.TempPathFactory) -> ForcedAligner:
    adapter = adapter_of(entry_of("aligner", tmp_path_factory.mktemp("tiny"), build_aligner))
    adapter.load()
    return adapter


def tell(
    aligner: ForcedAligner, monkeypatch: pytest.MonkeyPatch, text: str, seconds: float, classes: list[int]
) -> None:
    """Let the model's head answer with these classes for this text."""
    heard = np.zeros(round(seconds * 16_000), dtype=np.float32)
    inputs, _ = aligner._processor.prepare_forced_aligner_inputs([heard], text, "en")
    marks = inputs["input_ids"][0] == aligner._model.config.timestamp_token_id
    monkeypatch.setitem(aligner._model._modules, "score", Classes(marks, classes))


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("seconds", [0.2, 2.5, 12.0])
def test_words_cover_the_text_and_never_run_backwards(aligner: Any, language: Any, seconds: float) -> None:
    words = aligner.align(hum(seconds), TEXTS[language], language)
    assert "".join(word.text for word in words) == TEXTS[language]
    assert [word.text for word in words][:2] == {"zh": ["你", "好，"], "en": ["“Hello”, ", "don't "]}[language]
    assert all(0 <= word.start_s <= word.end_s <= seconds for word in words)
    assert all(before.end_s <= after.start_s for before, after in pairwise(words))
    assert words == aligner.align(hum(seconds), TEXTS[language], language)


def test_known_classes_are_known_times(aligner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tell(aligner, monkeypatch, "Hello, my friend.", 4.0, [2, 10, 12, 15, 20, 30])
    words = aligner.align(hum(4.0), "Hello, my friend.", "en")
    assert [(word.text, word.start_s, word.end_s) for word in words] == [
        ("Hello, ", 0.16, 0.8),
        ("my ", 0.96, 1.2),
        ("friend.", 1.6, 2.4),
    ]


def test_times_out_of_order_are_mended_and_those_after_the_end_are_cut(
    aligner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(aligner, monkeypatch, "Hello, my friend.", 2.0, [2, 10, 1, 12, 20, 45])
    words = aligner.align(hum(2.0), "Hello, my friend.", "en")
    assert [(word.start_s, word.end_s) for word in words] == [(0.16, 0.8), (0.8, 0.96), (1.6, 2.0)]


def test_times_that_are_no_numbers_are_a_bad_output(aligner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aligner._model.score, "weight", torch.nn.Parameter(torch.full((ALIGNER_BINS, 32), torch.nan)))
    with pytest.raises(BadOutputError, match="tiny-aligner"):
        aligner.align(hum(1.0), "Hello", "en")


def test_a_text_without_letters_has_no_words(aligner: Any) -> None:
    assert aligner.align(hum(1.0), "…!", "en") == []


# --- in the pipeline ---------------------------------------------------------------------------------------------


class OneWordASecond:
    """Speaks and aligns: a second for each word, after half a second by the aligner's ears."""

    def __init__(self, count: int) -> None:
        self._count = count
        self.heard: list[tuple[float, str]] = []

    def speak(self, spec: SpeechSpec, report: Any) -> Speech:
        report(1.0)
        words = [Word(text=f"w{n} ", start_s=n + (n % 20 == 0) * 0.2, end_s=n + 1) for n in range(self._count)]
        return Speech(hum(self._count), words)

    def align(self, sound: Sound, text: str, language: str) -> list[Word]:
        self.heard.append((sound.samples.shape[1] / sound.sample_rate, text))
        return [Word(text=f"{word} ", start_s=n + 0.5, end_s=n + 0.9) for n, word in enumerate(text.split())]


def run(tmp_path: Path, count: int, **helpers: Any) -> tuple[Any, LocalContext]:
    context = LocalContext(tmp_path, helpers)
    spec = SpeechSpec(text="".join(f"w{n} " for n in range(count)), language="en", voice="v")
    return pipeline.run(spec, OneWordASecond(count), context), context


def test_an_aligners_words_replace_the_speakers(tmp_path: Path) -> None:
    helper = OneWordASecond(3)
    result, context = run(tmp_path, 3, alignment=helper)
    assert [(word.start_s, word.end_s) for word in result.words] == [(0.5, 0.9), (1.5, 1.9), (2.5, 2.9)]
    assert context.phases == ["run", "decode", "upload"] and context.fractions == sorted(context.fractions)
    assert [word.start_s for word in run(tmp_path / "without", 3)[0].words] == [0.2, 1.0, 2.0]


def test_long_speech_is_aligned_in_stretches_cut_at_pauses(tmp_path: Path) -> None:
    helper = OneWordASecond(100)
    result, context = run(tmp_path, 100, alignment=helper)
    assert "".join(word.text for word in result.words) == "".join(f"w{n} " for n in range(100))
    assert all(seconds <= 40.2 for seconds, _ in helper.heard)
    assert sum(seconds for seconds, _ in helper.heard) == pytest.approx(100)
    assert [text.split()[0] for _, text in helper.heard] == ["w0", "w40", "w80"]
    assert all(a.end_s <= b.start_s for a, b in pairwise(result.words))
    assert len([fraction for fraction in context.fractions if 0.8 < fraction < 0.95]) >= 2


def test_a_cancel_between_stretches_is_let_through() -> None:
    helper = OneWordASecond(100)
    with pytest.raises(TaskCancelled):
        pipeline.aligned(helper, helper.speak(None, FakeReport()), "en", FakeReport(cancel_at=0.2))  # type: ignore[arg-type]
    assert len(helper.heard) < 3


def test_the_speakers_words_stay_where_the_aligner_hears_none(tmp_path: Path) -> None:
    helper = OneWordASecond(2)
    helper.align = lambda *_: []  # type: ignore[method-assign]
    result, _ = run(tmp_path, 2, alignment=helper)
    assert [word.end_s for word in result.words] == [1, 2]
