"""VITS (Kim et al. 2021) and the MMS voices made with it: fast, one language each, no control of emotion."""

import torch
from transformers import VitsModel, VitsTokenizer
from transformers.utils import is_phonemizer_available, is_uroman_available

from models.interfaces import UserInputError
from models.pretrained import loading, pretrained
from models.speech.base import Line, Speaker
from models.speech.sampling import Step
from models.weighted import BadWeightsError


class VitsSpeaker(Speaker):
    """A catalog voice's ``speaker`` is the model's speaker number. The seed varies melody and rhythm."""

    keeps_pace = True

    def load(self) -> None:
        """Raises BadWeightsError, also for a voice that the model does not have and a missing text front end."""
        with loading("VitsTokenizer", self.folder):
            self._tokenizer = VitsTokenizer.from_pretrained(self.folder, local_files_only=True)
        for needed, name, here in (
            (self._tokenizer.phonemize, "phonemizer", is_phonemizer_available()),
            (self._tokenizer.is_uroman, "uroman", is_uroman_available()),
        ):
            if needed and not here:
                raise BadWeightsError(
                    f"{self.folder}: its texts are prepared by the package {name}, not installed here"
                )
        model = pretrained(VitsModel, self.folder, self.options, self.device.torch)
        speakers = model.config.num_speakers
        for voice in self.model.voice:
            if (voice.speaker is None and speakers > 1) or (voice.speaker or 0) >= speakers:
                raise BadWeightsError(f"voice {voice.id}: speaker has to be 0 to {speakers - 1}, not {voice.speaker}")
        self._model = model

    @property
    def sample_rate(self) -> int:
        return int(self._model.config.sampling_rate)

    def _say(self, line: Line, step: Step) -> torch.Tensor:
        """One pass, not to be interrupted. Letters that the voice never learnt are left out, such as those of a foreign
        name. Raises UserInputError for a text that has no others."""
        ids = self._tokenizer(line.text, return_tensors="pt").input_ids.to(self.device.torch)
        if ids.shape[1] <= 1:  # the blank between letters alone
            raise UserInputError(
                f"the voice {line.voice.id} cannot pronounce {line.text.strip()!r}", field="text_content"
            )
        several = self._model.config.num_speakers > 1
        return self._model(
            input_ids=ids,
            speaker_id=line.voice.speaker if several else None,
            speaking_rate=self._model.config.speaking_rate * line.pace,
        ).waveform
