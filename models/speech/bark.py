"""Bark (Suno, 2023): text to semantic tokens to coarse and fine codes of EnCodec."""

import json
from typing import Any

import numpy as np
import torch
from transformers import AutoTokenizer, BarkModel, BarkProcessor

from models.catalog import Voice
from models.options import TokenSpeakerOptions
from models.pretrained import loading, pretrained
from models.speech.base import Line, Speaker
from models.speech.recordings import path_within
from models.speech.sampling import Step, each_pass, finite, watched
from models.speech.timing import natural_s
from models.weighted import BadWeightsError

_PRESETS = "speaker_embeddings_path.json"
_SEMANTIC, _COARSE = 0.4, 0.9  # how much of the work is done after these stages
_SHORTEST = 0.3  # of the natural length: the model sometimes ends before it has begun


class BarkSpeaker(Speaker[TokenSpeakerOptions]):
    """A catalog voice's ``preset`` is a name in ``speaker_embeddings_path.json``, such as ``v2/zh_speaker_1``. The
    seed is another take. It hears from the text which language it is."""

    options_class = TokenSpeakerOptions
    longest_s = 10.0  # it was trained on 13 seconds at once, and some voices are slow

    def load(self) -> None:
        """Raises BadWeightsError, also for a voice whose preset is missing or no array of numbers."""
        with loading("tokenizer", self.folder):
            tokenizer = AutoTokenizer.from_pretrained(self.folder, local_files_only=True)
        self._processor = BarkProcessor(tokenizer)
        model = pretrained(BarkModel, self.folder, self.options, self.device.torch)
        self._presets = {voice.id: self._preset(voice, model.generation_config) for voice in self.model.voice}
        self._model = model

    def _preset(self, voice: Voice, limits: Any) -> dict[str, torch.Tensor]:
        with loading(f"preset of the voice {voice.id}", self.folder):
            listed = json.loads((self.folder / _PRESETS).read_text(encoding="utf-8"))
            if voice.preset not in listed:
                raise BadWeightsError(f"voice {voice.id}: {self.folder / _PRESETS} has no preset {voice.preset!r}")
            preset = {}
            for name, shape, count in (
                ("semantic_prompt", (), limits.semantic_config["semantic_vocab_size"]),
                ("coarse_prompt", (2,), limits.codebook_size),
                ("fine_prompt", (8,), limits.codebook_size),
            ):
                path = path_within(self.folder, listed[voice.preset][name], voice.id)
                codes = np.load(path, allow_pickle=False)
                if codes.shape[:-1] != shape or codes.dtype.kind not in "iu" or codes.min() < 0 or codes.max() >= count:
                    raise BadWeightsError(f"{path}: no {name} of codes below {count}")
                preset[name] = torch.from_numpy(codes.astype(np.int64))
        return preset

    @property
    def sample_rate(self) -> int:
        return int(self._model.generation_config.sample_rate)

    def _say(self, line: Line, step: Step) -> torch.Tensor:
        """Calls ``step`` at every token of the first two stages and at every codebook of the third."""
        model, device = self._model, self.device.torch
        seconds = natural_s(line.text)
        semantic, coarse, fine = (
            getattr(model.generation_config, f"{name}_config")
            for name in ("semantic", "coarse_acoustics", "fine_acoustics")
        )
        inputs = self._processor(
            line.text, max_length=semantic["max_input_semantic_length"], truncation=True, return_tensors="pt"
        ).to(device)
        tokens = seconds * semantic["semantic_rate_hz"]
        codes = seconds * coarse["coarse_rate_hz"] * coarse["n_coarse_codebooks"]
        passes = fine["n_fine_codebooks"] - coarse["n_coarse_codebooks"]

        def in_stage(start: float, end: float) -> Step:
            return lambda fraction: step(start + (end - start) * fraction)

        heads = (model.semantic.lm_head, model.coarse_acoustics.lm_head, *model.fine_acoustics.lm_heads)
        # The fine model's own forward is called without its hooks.
        with finite(*heads), each_pass(model.fine_acoustics.layernorm_final, in_stage(_COARSE, 1.0), passes):
            return model.generate(
                input_ids=inputs["input_ids"],
                attention_mask=inputs["attention_mask"],
                history_prompt={name: codes.to(device) for name, codes in self._presets[line.voice.id].items()},
                semantic_do_sample=True,
                semantic_temperature=self.options.temperature,
                semantic_min_new_tokens=max(1, round(_SHORTEST * tokens)),
                semantic_stopping_criteria=watched(in_stage(0.0, _SEMANTIC), round(tokens)),
                coarse_do_sample=True,
                coarse_temperature=self.options.temperature,
                coarse_stopping_criteria=watched(in_stage(_SEMANTIC, _COARSE), round(codes)),
            )
