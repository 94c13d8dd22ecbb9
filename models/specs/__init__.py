"""What is asked of a model and what a film is made of: the vocabulary shared by every engine.

Pure data: pydantic only, so the control plane can build these without loading an engine. Lengths are seconds,
sizes are pixels. Fields that end in ``_key`` or ``_keys`` are artifact store keys; a pipeline loads them before it
calls a model. Nothing here may carry a random id: equal specs must give equal results, whatever they were made for.
"""

from models.specs.base import Helped, Language, Provenance, Result, Seed, Spec, StoredArtifact
from models.specs.choices import CameraMovement, Emotion, Filter, Font, Framing, ShotType, Transition
from models.specs.film import (
    ClipEdit,
    CoverSpec,
    EncodeResult,
    EncodeSpec,
    FilmClip,
    FilmMusic,
    FilmSpeech,
    SubtitleStyle,
)
from models.specs.pictures import ImageResult, ImageSpec, Place, Subject
from models.specs.script import (
    ArtStyle,
    Character,
    DialogueLine,
    Scene,
    ScriptResult,
    ScriptSpec,
    ScriptStep,
    Shot,
    Storyline,
)
from models.specs.sound import MusicResult, MusicSpec, SpeechResult, SpeechSpec, Word
from models.specs.video import VideoResult, VideoSpec

__all__ = [
    "ArtStyle",
    "CameraMovement",
    "Character",
    "ClipEdit",
    "CoverSpec",
    "DialogueLine",
    "Emotion",
    "EncodeResult",
    "EncodeSpec",
    "FilmClip",
    "FilmMusic",
    "FilmSpeech",
    "Filter",
    "Font",
    "Framing",
    "Helped",
    "ImageResult",
    "ImageSpec",
    "Language",
    "MusicResult",
    "MusicSpec",
    "Place",
    "Provenance",
    "Result",
    "Scene",
    "ScriptResult",
    "ScriptSpec",
    "ScriptStep",
    "Seed",
    "Shot",
    "ShotType",
    "Spec",
    "SpeechResult",
    "SpeechSpec",
    "StoredArtifact",
    "Storyline",
    "Subject",
    "SubtitleStyle",
    "Transition",
    "VideoResult",
    "VideoSpec",
    "Word",
]
