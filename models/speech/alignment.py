"""When the words of a text are spoken in a recording of it, by a forced aligner (Qwen3-ASR, Alibaba 2026): a language
model hears the sound, reads the words with two marks after each, and classifies each mark by the time it stands for."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from transformers import AutoProcessor, Qwen3ASRForTokenClassification

from models.interfaces import Sound
from models.options import AlignerOptions
from models.pretrained import OneModel, loading, pretrained
from models.sound import stretch_band_limited
from models.specs import Language, Word
from models.weighted import BadOutputError


class ForcedAligner(OneModel[AlignerOptions]):
    """Implements ``models.interfaces.Aligner`` for Chinese and English, to the model's step of some 80 ms."""

    options_class = AlignerOptions

    def load(self) -> None:
        """Raises BadWeightsError."""
        with loading("Qwen3ASRProcessor", self.folder):
            self._processor = AutoProcessor.from_pretrained(self.folder, local_files_only=True)
        self._model = pretrained(Qwen3ASRForTokenClassification, self.folder, self.options, self.device.torch)

    def align(self, sound: Sound, text: str, language: Language) -> list[Word]:
        """Words that joined are the text, in order, each after the one before it and within the sound; none for a text
        without a letter. Raises BadOutputError for a model that computes no numbers."""
        rate = self._processor.feature_extractor.sampling_rate
        mono = sound.samples.mean(axis=0)
        heard = stretch_band_limited(mono, round(mono.size * rate / sound.sample_rate))
        inputs, (spoken,) = self._processor.prepare_forced_aligner_inputs([heard], text, language)
        if not spoken:
            return []
        inputs = inputs.to(self.device.torch, self.dtype)
        with torch.no_grad():
            logits = self._model(**inputs).logits
        if not torch.isfinite(logits).all():
            raise BadOutputError(f"{self.model.id} computed times that are not finite")
        (times,) = self._processor.decode_forced_alignment(
            logits, inputs["input_ids"], [spoken], self._model.config.timestamp_token_id
        )
        return words_of(text, times, mono.size / sound.sample_rate)


def words_of(text: str, times: Sequence[dict[str, Any]], duration_s: float) -> list[Word]:
    """The text cut into the words of an alignment, each with the marks and spaces around it. ``times`` has of each word
    its ``text``, letters and digits alone, ``start_time`` and ``end_time`` in seconds; there is at least one."""
    begins = [0]
    for before, item in pairwise(times):
        begins.append(text.index(item["text"][0], _end(text, before["text"], begins[-1])))
    words: list[Word] = []
    now = 0.0
    for begin, end, item in zip(begins, [*begins[1:], len(text)], times, strict=True):
        start_s = min(max(float(item["start_time"]), now), duration_s)
        now = min(max(float(item["end_time"]), start_s), duration_s)
        words.append(Word(text=text[begin:end], start_s=start_s, end_s=now))
    return words


def _end(text: str, letters: str, begin: int) -> int:
    """Where the last letter of a word is passed; whatever marks stand inside it were left out of ``letters``."""
    for letter in letters:
        begin = text.index(letter, begin) + 1
    return begin
