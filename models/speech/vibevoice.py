"""VibeVoice (Microsoft, 2025; arXiv:2508.19205): a language model whose every audio token is a latent that a small
diffusion head samples and a decoder makes sound of. Chinese and English, in the voice of a recording."""

import math

import torch
from transformers import AutoProcessor, VibeVoiceForConditionalGeneration

from models.options import SpeakerOptions
from models.pretrained import loading, pretrained
from models.speech.base import Line, Speaker
from models.speech.recordings import path_within, read_mono
from models.speech.sampling import Step, finite, watched
from models.speech.timing import longest_s, natural_s
from models.weighted import BadOutputError, BadWeightsError


class VibeVoiceSpeaker(Speaker[SpeakerOptions]):
    """A catalog voice's ``sample`` is the recording that is imitated. The seed is another take. The model takes the
    language from the text, and feeling from the text and the recording alone: emotions are shaped."""

    options_class = SpeakerOptions

    def load(self) -> None:
        """Raises BadWeightsError, also for a voice without a recording."""
        with loading("VibeVoiceProcessor", self.folder):
            self._processor = AutoProcessor.from_pretrained(self.folder, local_files_only=True)
        self._samples = {}
        for voice in self.model.voice:
            if voice.sample is None:
                raise BadWeightsError(f"voice {voice.id}: this model needs a sample, a recording to speak like")
            path = path_within(self.folder, voice.sample, voice.id)
            self._samples[voice.id] = read_mono(path, self._processor.feature_extractor.sampling_rate)
        self._model = pretrained(VibeVoiceForConditionalGeneration, self.folder, self.options, self.device.torch)

    @property
    def sample_rate(self) -> int:
        return int(self._processor.feature_extractor.sampling_rate)

    def _say(self, line: Line, step: Step) -> torch.Tensor:
        """Calls ``step`` at every audio token, which is some tenth of a second."""
        model = self._model
        content = [{"type": "text", "text": line.text}, {"type": "audio", "audio": self._samples[line.voice.id]}]
        inputs = self._processor.apply_chat_template(
            [{"role": "0", "content": content}], tokenize=True, return_dict=True, return_tensors="pt"
        ).to(self.device.torch, self.dtype)
        tokens_per_s = self.sample_rate / model.config.audio_config.hop_length
        expected = natural_s(line.text) * tokens_per_s
        with finite(model.lm_head):
            (sound,) = model.generate(
                **inputs,
                max_new_tokens=math.ceil(longest_s(line.text) * tokens_per_s),
                stopping_criteria=watched(step, math.ceil(expected)),
            )
        if sound is None:
            raise BadOutputError(f"{self.model.id} ended before it said anything")
        return sound
