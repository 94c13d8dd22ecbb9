"""Draft speech: espeak-ng voices on the CPU."""

from models.draft.speech.speaker import DraftSpeaker

__all__ = ["DraftSpeaker"]
