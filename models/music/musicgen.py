"""Music through MusicGen of transformers: tokens of a sound codec, one time step after the other."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from transformers import AutoTokenizer, LogitsProcessor, LogitsProcessorList, MusicgenForConditionalGeneration

from models.interfaces import Report, Sound
from models.music.finish import finished, part_to_make
from models.music.prompt import english_music_prompt
from models.options import MusicgenOptions
from models.pretrained import OneModel, loading, pretrained
from models.specs import MusicSpec
from models.weighted import BadOutputError


class MusicgenComposer(OneModel[MusicgenOptions]):
    """Implements ``models.interfaces.Composer``. Its text encoder reads English alone."""

    options_class = MusicgenOptions
    _tokenizer: Any = None

    def load(self) -> None:
        """Raises BadWeightsError where the folder has no weights of MusicGen."""
        with loading("tokenizer", self.folder):
            self._tokenizer = AutoTokenizer.from_pretrained(self.folder, local_files_only=True)
        self._model = pretrained(MusicgenForConditionalGeneration, self.folder, self.options, self.device.torch)

    def _release(self) -> None:
        super()._release()
        self._tokenizer = None

    def compose(self, spec: MusicSpec, report: Report) -> tuple[Sound, bool]:
        """Raises BadOutputError for what is no music."""
        duration_s, loop = part_to_make(spec.duration_s, self.options.max_duration_s)
        prompt = english_music_prompt(spec)
        report.note(
            prompt=prompt,
            guidance_scale=self.options.guidance_scale,
            temperature=self.options.temperature,
            seed=spec.seed,
            duration_s=duration_s,
            loop=loop,
        )
        samples = self._generate(prompt, duration_s, spec.seed, report)
        sound = finished(samples.cpu().numpy(), self._model.config.audio_encoder.sampling_rate, duration_s, loop=loop)
        report(1.0)
        return sound, loop

    def _generate(self, prompt: str, duration_s: float, seed: int, report: Report) -> torch.Tensor:
        """Float32 samples (channels, n) of at least ``duration_s``."""
        config = self._model.config
        # Each codebook is a step behind the one before it, so the last steps are of the last codebooks alone.
        steps = math.ceil(duration_s * config.audio_encoder.frame_rate) + config.decoder.num_codebooks
        text = self._tokenizer([prompt], return_tensors="pt").to(self._model.device)
        with torch.inference_mode(), torch.random.fork_rng(), _decoding(self._model.audio_encoder, report):
            torch.manual_seed(seed)  # transformers samples from the global generator
            values = self._model.generate(
                input_ids=text.input_ids,
                attention_mask=text.attention_mask,
                do_sample=True,
                guidance_scale=self.options.guidance_scale,
                temperature=self.options.temperature,
                max_new_tokens=steps,
                logits_processor=LogitsProcessorList([_Watch(report, steps)]),
            )
        return values[0].float()


class _Watch(LogitsProcessor):  # type: ignore[misc]
    """Sees the scores of every step before anything is sampled of them: NaN would end a GPU's whole process."""

    def __init__(self, report: Report, steps: int) -> None:
        self._report, self._steps = report, steps
        self._step = 0

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        if not bool(torch.isfinite(scores).all()):
            raise BadOutputError("the scores of the next sound are not finite: try dtype bfloat16 or float32")
        self._step += 1
        self._report(min(self._step / self._steps, 1.0))
        return scores


@contextmanager
def _decoding(codec: Any, report: Report) -> Iterator[None]:
    """Turning the tokens to sound is a phase of its own."""
    decode = codec.decode

    def decode_tokens(*arguments: Any, **named: Any) -> Any:
        with report.phase("decode"):
            return decode(*arguments, **named)

    codec.decode = decode_tokens
    try:
        yield
    finally:
        del codec.decode
