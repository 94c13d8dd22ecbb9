"""What every kind of input is read into: beats in order, the people in them and the settings they happen in."""

from dataclasses import dataclass, field
from functools import cached_property

from models.draft.script.people import Person
from models.draft.script.text import as_sentences
from models.specs import CameraMovement, Emotion, Language, ShotType, Transition


@dataclass(frozen=True)
class Setting:
    """Where and when. Ids of the shared lexicon; ``label`` is the name an author gave the place."""

    place: str | None = None
    time: str | None = None
    weather: str | None = None
    label: str = ""
    interior: bool | None = None


@dataclass
class Line:
    """Spoken words. ``speaker`` is a person's name, None where nobody knows who speaks."""

    speaker: str | None
    text: str
    emotion: Emotion = Emotion.NEUTRAL


@dataclass
class Beat:
    """The smallest stretch that is told in one go: its narration is heard first, then its lines in order.

    ``setting`` counts into ``Source.settings``. The fields after it are what an author wrote for this shot and are
    kept; None or empty where the author left it open."""

    narration: str = ""
    lines: list[Line] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    paragraph: int = 0
    setting: int = 0
    weather: str | None = None
    description: str = ""
    action: str = ""
    shot_type: ShotType | None = None
    camera: CameraMovement | None = None
    transition: Transition | None = None
    duration_s: float | None = None
    is_quoted: bool = False
    """Whether the narration is what somebody unknown says: it may speak of anywhere."""
    is_shot: bool = False
    """Whether the author made a shot of it, so that it is not joined with its neighbours."""

    @property
    def words(self) -> str:
        """Everything said or shown, for looking words up in."""
        return as_sentences([self.told, *(line.text for line in self.lines)])

    @property
    def told(self) -> str:
        """What is said or shown but not what people say, which may be about anything."""
        return as_sentences([self.description, self.narration, self.action])


@dataclass
class Source:
    """An input after reading. ``people`` are sorted by how much they matter; ``settings`` are distinct, in order of
    appearance, never empty; ``scene_names`` has a name for each. ``text`` is the input as its author wrote it."""

    language: Language
    text: str
    beats: list[Beat]
    title: str = ""
    style: str = ""
    """The look its author asks for, in their words."""
    background: list[str] = field(default_factory=list)
    """Sentences that tell of the people without being part of the film."""
    people: list[Person] = field(default_factory=list)
    settings: list[Setting] = field(default_factory=list)
    scene_names: list[str] = field(default_factory=list)

    @cached_property
    def words(self) -> str:
        """Everything said or shown in the film."""
        return "\n".join([*(beat.words for beat in self.beats), *self.background])
