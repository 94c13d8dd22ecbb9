"""Higgs Audio v2 (Boson AI, 2025): a language model over eight codebooks of sound that is told in words who speaks and
how, or given a recording to go on from."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoFeatureExtractor,
    AutoTokenizer,
    HiggsAudioV2ForConditionalGeneration,
    HiggsAudioV2Processor,
)

from models.catalog import Voice
from models.options import TokenSpeakerOptions
from models.pretrained import loading, pretrained
from models.specs import Emotion
from models.speech.base import Line, Speaker
from models.speech.recordings import path_within, read_mono
from models.speech.sampling import Step, finite, watched
from models.speech.timing import longest_s, natural_s
from models.weighted import BadOutputError, BadWeightsError

_CODEC = "audio_tokenizer"
_LANGUAGES = {"zh": "Mandarin Chinese", "en": "English"}
_GENDERS = {"male": "masculine", "female": "feminine", "neutral": "androgynous"}
_AGES = {"child": "a child", "young": "young", "adult": "middle-aged", "elder": "elderly"}
_FEELINGS = {
    Emotion.NEUTRAL: "",
    Emotion.HAPPY: "The speaker is happy and smiles while speaking.",
    Emotion.SAD: "The speaker is sad and speaks slowly, close to tears.",
    Emotion.ANGRY: "The speaker is angry and speaks loudly and sharply.",
    Emotion.EXCITED: "The speaker is excited and speaks fast, with a lively melody.",
    Emotion.CALM: "The speaker is calm and speaks softly and evenly.",
    Emotion.FEARFUL: "The speaker is afraid; the voice trembles and is short of breath.",
    Emotion.WHISPER: "The speaker whispers.",
}
_INSTRUCTION = "Generate audio following instruction."


class HiggsSpeaker(Speaker[TokenSpeakerOptions]):
    """A catalog voice's ``sample``, with the words in it as ``sample_text``, is imitated; a voice without one is
    described to the model by its gender, age and tone. Emotions are described too. The seed is another take.

    The codec, another hub repository, lies in the folder ``audio_tokenizer`` among the model's files.
    """

    options_class = TokenSpeakerOptions
    acts = True

    def load(self) -> None:
        """Raises BadWeightsError, also for a recording without its words."""
        device = self.device.torch
        model = pretrained(HiggsAudioV2ForConditionalGeneration, self.folder, self.options, device)
        # Its codebooks are nearest neighbours, and it is small beside the model.
        exact = self.options.model_copy(update={"dtype": "float32", "quantization": "none"})
        codec = pretrained(_codec_class(self.folder), self.folder / _CODEC, exact, device)
        with loading("HiggsAudioV2Processor", self.folder):
            tokenizer = AutoTokenizer.from_pretrained(self.folder, local_files_only=True)
            self._processor = HiggsAudioV2Processor(
                AutoFeatureExtractor.from_pretrained(self.folder, local_files_only=True),
                tokenizer,
                codec,
                chat_template=tokenizer.chat_template,
                audio_stream_bos_id=model.config.audio_stream_bos_id,
                audio_stream_eos_id=model.config.audio_stream_eos_id,
            )
        self._samples = {voice.id: self._sample(voice) for voice in self.model.voice if voice.sample is not None}
        self._model = model

    def _sample(self, voice: Voice) -> Any:
        if not voice.sample_text:
            raise BadWeightsError(f"voice {voice.id}: sample_text has to be what is said in {voice.sample}")
        return read_mono(path_within(self.folder, voice.sample or "", voice.id), self.sample_rate)

    def _modules(self) -> Iterator[torch.nn.Module]:
        yield from super()._modules()
        if self._model is not None:
            yield self._processor.audio_tokenizer

    def _release(self) -> None:
        super()._release()
        self._processor = None

    @property
    def sample_rate(self) -> int:
        return int(self._processor.feature_extractor.sampling_rate)

    def _say(self, line: Line, step: Step) -> torch.Tensor:
        """Calls ``step`` at every frame of codes, 25 a second."""
        model, codec = self._model, self._processor.audio_tokenizer
        inputs = self._processor.apply_chat_template(
            self._conversation(line),
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            processor_kwargs={"sampling_rate": self.sample_rate},
            return_tensors="pt",
        ).to(self.device.torch)
        rate = codec.config.frame_rate
        expected = natural_s(line.text) * rate
        with finite(model.audio_lm_head):
            codes = model.generate(
                **inputs,
                max_new_tokens=math.ceil(longest_s(line.text) * rate) + model.config.num_codebooks,
                do_sample=True,
                temperature=self.options.temperature,
                stopping_criteria=watched(step, math.ceil(expected)),
            )
        # Each codebook begins a frame later than the one before it, after a frame that marks the beginning.
        prompt = inputs["audio_input_ids"].shape[1] if "audio_input_ids" in inputs else 0
        if codes.shape[1] - prompt <= model.config.num_codebooks + 1:
            raise BadOutputError(f"{self.model.id} ended before it said anything")
        return self._processor.batch_decode(codes)[0]

    def _conversation(self, line: Line) -> list[dict[str, Any]]:
        voice = line.voice
        scene = ["Audio is recorded from a quiet room.", f"The language is {_LANGUAGES[line.language]}."]
        if feeling := _FEELINGS[line.emotion]:
            scene.append(feeling)
        said = [_turn("user", line.text)]
        if voice.id in self._samples:
            recording = {"type": "audio", "audio": self._samples[voice.id]}
            said = [_turn("user", voice.sample_text), {"role": "assistant", "content": [recording]}, *said]
        else:
            scene.append(f"SPEAKER0: {_GENDERS[voice.gender]}; {_AGES[voice.age_range]}; {voice.tone}")
            said = [_turn("user", f"[SPEAKER0] {line.text}")]
        return [_turn("system", _INSTRUCTION), _turn("scene", *scene), *said]


def _codec_class(folder: Path) -> Any:
    """transformers has it only where torchaudio is installed."""
    try:
        from transformers.models.higgs_audio_v2_tokenizer.modeling_higgs_audio_v2_tokenizer import (
            HiggsAudioV2TokenizerModel,
        )
    except ImportError as error:
        raise BadWeightsError(f"{folder}: its codec needs the package torchaudio, not installed here") from error
    return HiggsAudioV2TokenizerModel


def _turn(role: str, *texts: str) -> dict[str, Any]:
    return {"role": role, "content": [{"type": "text", "text": text} for text in texts]}
