"""From beats to shots: which beats share a shot and what each shot shows."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from models.draft.lexicon import shared
from models.draft.script import moods
from models.draft.script.cast import roles_in_film
from models.draft.script.people import Mentions, Person
from models.draft.script.source import Beat, Line, Setting, Source
from models.draft.script.text import (
    SPEECH_TAIL_S,
    as_sentences,
    in_language,
    join_sentences,
    shorten,
    speech_seconds,
)
from models.draft.script.weather import ends_weather, weather_after
from models.draft.weather_words import CLEAR
from models.specs import CameraMovement, Emotion, Language, ScriptSpec, ShotType, Transition

GENERAL_SHOT_S = 8.0
VERBATIM_SHOT_S = 5.0
SHORT_SHOT_S = 3.0
VIEW_S = 2.0
_FEW_SHOTS = 5
MAX_SILENT_S = 6.0
_MAX_LINES = 3
_STRONG = frozenset([Emotion.SAD, Emotion.ANGRY, Emotion.FEARFUL, Emotion.EXCITED, Emotion.WHISPER])


@dataclass
class Draft:
    """A shot in the making. ``worth`` says how much the film would miss it; ``cutaway`` is a silent look around."""

    narration: str = ""
    lines: list[Line] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    scene: str | None = None
    setting: int = 0
    weather: str | None = None
    description: str = ""
    action: str = ""
    shot_type: ShotType | None = None
    camera: CameraMovement | None = None
    transition: Transition | None = None
    duration_s: float | None = None
    worth: float = 0.0
    paragraph: int = 0
    is_shot: bool = False
    cutaway: bool = False

    @property
    def speech_s(self) -> float:
        """How long its words take to say, with the rest after them; 0 for a silent shot."""
        seconds = speech_seconds(self.narration) + sum(speech_seconds(line.text) for line in self.lines)
        return seconds + SPEECH_TAIL_S if seconds else 0.0

    @property
    def seen_s(self) -> float:
        """How long a shot that tells nothing needs to be looked at: as long as it would take to describe it."""
        return 0.0 if self.narration else min(speech_seconds(self.description), MAX_SILENT_S)

    @property
    def told_s(self) -> float:
        """How much of a shot this is, whether told, spoken or seen."""
        return max(self.speech_s - SPEECH_TAIL_S, 0.0) + self.seen_s

    @property
    def words(self) -> str:
        return " ".join([self.description, self.narration, self.action, *(line.text for line in self.lines)])


def draft_shots(source: Source, spec: ScriptSpec) -> list[Draft]:
    """The shots of a source in order, with the names the spec's scenes and characters have."""
    verbatim = spec.input_mode == "professional"
    naming = Naming(source, spec)
    limit_s = VERBATIM_SHOT_S if verbatim else _group_s(source, spec.target_duration_s)
    drafts: list[Draft] = []
    for beat in source.beats:
        draft = _draft(beat, source, naming, verbatim=verbatim)
        if drafts and _belong_together(drafts[-1], draft, limit_s):
            join(drafts[-1], draft)
        else:
            drafts.append(draft)
    if drafts:
        drafts[0].worth += 2.0
        drafts[-1].worth += 1.5
    return drafts


def _group_s(source: Source, target_s: float | None) -> float:
    """How much may go into one shot: less where the film is short, so that it is cut at all."""
    told_s = sum(speech_seconds(beat.words) for beat in source.beats)
    film_s = told_s if target_s is None else min(told_s, target_s)
    return min(GENERAL_SHOT_S, max(film_s / _FEW_SHOTS, SHORT_SHOT_S))


class Naming:
    """What people and scenes of the source are called in the film."""

    def __init__(self, source: Source, spec: ScriptSpec) -> None:
        self.roles = roles_in_film(source, spec)
        self.fixed = spec.fixed_protagonist.name if spec.fixed_protagonist else None
        given = {character.name for character in spec.characters}
        if given and self.fixed not in given:
            self.fixed = None
        self.scenes = _scene_names(source, spec)
        changed = [p for p in source.people if self.roles[p.name] not in {None, p.name} and p.name not in _PRONOUNS]
        self._mentions = Mentions({str(self.roles[p.name]): _replaceable(p) for p in changed}, source.language)
        self._language: Language = source.language

    def people(self, names: Iterable[str]) -> list[str]:
        return list(dict.fromkeys(name for old in names if (name := self.roles.get(old)) is not None))

    def rename(self, text: str) -> str:
        """The text with every person called what the film calls them."""
        parts = []
        position = 0
        for start, end, name in self._mentions.find(text):
            before = text[position:start]
            if self._language == "en":
                before = re.sub(r"\b(?:the|an?)\s+$", "", before, flags=re.IGNORECASE)
            parts += [before, name]
            position = end
        return "".join([*parts, text[position:]])


_PRONOUNS = frozenset(["我", "他", "她", "Narrator", "The Woman", "The Man"])


def _replaceable(person: Person) -> list[str]:
    """A role's every form is a name of it; a name's generic forms, such as "the girl", still fit another name."""
    if person.is_role:
        return person.forms
    return [form for form in person.forms if form in person.name or person.name in form]


def _scene_names(source: Source, spec: ScriptSpec) -> list[str | None]:
    """The spec's scene for every setting: by name, else by place in the list, else the first."""
    if not spec.scenes:
        return list(source.scene_names)
    given = [scene.name for scene in spec.scenes]
    return [
        name if name in given else given[index] if index < len(given) else given[0]
        for index, name in enumerate(source.scene_names)
    ]


def _draft(beat: Beat, source: Source, naming: Naming, *, verbatim: bool) -> Draft:
    told = [beat.narration if verbatim else naming.rename(beat.narration)]
    lines = []
    for line in beat.lines:
        speaker = naming.roles.get(line.speaker) if line.speaker else None
        if speaker is None:
            told.append(line.text)
        else:
            lines.append(Line(speaker, line.text, line.emotion))
    people = naming.people(beat.people)
    if naming.fixed and not source.people and beat.narration:
        people = [naming.fixed]
    narration = join_sentences([part for part in told if part])
    return Draft(
        narration=narration,
        lines=lines,
        people=people,
        scene=naming.scenes[beat.setting],
        setting=beat.setting,
        weather=beat.weather,
        description=naming.rename(beat.description or beat.narration),
        action=naming.rename(beat.action),
        shot_type=beat.shot_type,
        camera=beat.camera,
        transition=beat.transition,
        duration_s=beat.duration_s,
        worth=importance(beat, source),
        paragraph=beat.paragraph,
        is_shot=beat.is_shot,
    )


def _belong_together(one: Draft, two: Draft, limit_s: float) -> bool:
    if one.is_shot or two.is_shot or one.scene != two.scene or one.setting != two.setting:
        return False
    if one.lines and (two.narration or two.description):
        return False  # a shot's narration is heard first: joining these would tell them in the wrong order
    if len(one.lines) + len(two.lines) > _MAX_LINES:
        return False
    if not one.people and two.people and one.told_s >= VIEW_S:
        return False  # a view of the place stands alone before people come into it
    seconds = one.told_s + two.told_s
    if one.paragraph != two.paragraph and not (one.lines and two.lines):
        limit_s *= 0.6
    return seconds <= limit_s


def join(one: Draft, two: Draft) -> None:
    """Put the second shot into the first. Narration after spoken lines keeps its words, told before them."""
    one.narration = join_sentences([part for part in (one.narration, two.narration) if part])
    one.lines += two.lines
    one.people = list(dict.fromkeys([*one.people, *two.people]))
    if two.description and two.description not in one.description:
        one.description = as_sentences([one.description, two.description])
    if two.action and two.action not in one.action:
        one.action = as_sentences([one.action, two.action])
    one.worth = max(one.worth, two.worth)
    one.transition = two.transition or one.transition
    if one.duration_s is not None and two.duration_s is not None:
        one.duration_s += two.duration_s


@lru_cache(maxsize=1)
def _motions() -> frozenset[str]:
    return frozenset(word for table in moods.data()["motion"] for word in (*table["zh"], *table["en"]))


def importance(beat: Beat, source: Source) -> float:
    """How much a film would miss the beat: speech, the main person, feeling and action count."""
    worth = 0.3
    if beat.lines:
        worth += 1.0
    if source.people and source.people[0].name in beat.people:
        worth += 0.6
    elif beat.people:
        worth += 0.3
    if any(line.emotion in _STRONG for line in beat.lines) or moods.emotion_of(beat.told) in _STRONG:
        worth += 0.4
    if beat.told and any(word in beat.told for word in _motions()):
        worth += 0.2
    if shared("place").first(beat.told) or shared("time").first(beat.told):
        worth += 0.3
    return worth


def _speaking(draft: Draft, language: Language) -> str:
    """Who speaks to whom, and how, in a shot with dialogue."""
    if not draft.lines:
        return ""
    speaker = str(draft.lines[0].speaker)
    others = [*(str(line.speaker) for line in draft.lines), *draft.people]
    listener = next((name for name in others if name != speaker), "")
    zh_how, en_how = _MANNERS[draft.lines[0].emotion]
    if language == "zh":
        return f"{speaker}{zh_how}对{listener}说话" if listener else f"{speaker}{zh_how}说话"
    return f"{speaker} speaks to {listener}{en_how}" if listener else f"{speaker} speaks{en_how}"


_MANNERS = {
    Emotion.NEUTRAL: ("", ""),
    Emotion.HAPPY: ("微笑着", ", smiling"),
    Emotion.SAD: ("难过地", ", sad"),
    Emotion.ANGRY: ("生气地", ", angry"),
    Emotion.EXCITED: ("兴奋地", ", excited"),
    Emotion.CALM: ("平静地", ", calm"),
    Emotion.FEARFUL: ("害怕地", ", afraid"),
    Emotion.WHISPER: ("低声", ", whispering"),
}


def action_of(draft: Draft, language: Language) -> str:
    """What happens: the author's words, else the start of what is told, else that somebody speaks."""
    told = draft.action or draft.description
    return shorten(told, language, zh_characters=30, en_words=18) if told else _speaking(draft, language)


def _place_look(setting: Setting, language: Language) -> str:
    place = next((e for e in shared("place").entries if e.id == setting.place), None)
    return place.text("look", language) if place else in_language(language, "空镜头", "an empty view")


def caption(draft: Draft, setting: Setting, language: Language, mentions: Mentions) -> str:
    """What the picture shows, in words for a picture model: where and when, who, what, the weather."""
    shown = shorten(draft.description, language, zh_characters=72, en_words=40).rstrip("。.，,：:")
    speaking = _speaking(draft, language)
    present = set(mentions.names(f"{shown} {speaking}"))
    unnamed = [name for name in draft.people if name not in present]
    pronoun = _OPENING_PRONOUN.match(shown)
    if pronoun and unnamed and len(draft.people) == 1:
        shown = unnamed.pop() + shown[pronoun.end() :]
    if not shown and not speaking:
        shown = _place_look(setting, language)
    weather = ""
    place = next((e for e in shared("place").entries if e.id == setting.place), None)
    indoors = setting.interior if setting.interior is not None else place and place.fields["scene_type"] == "indoor"
    seen = draft.weather or (CLEAR if setting.weather else None)  # what the scene has and this shot has no more
    if seen and not indoors and (weather_after(shown, None) != seen or ends_weather(shown)):
        weather = next(e.text("name", language) for e in shared("weather").entries if e.id == seen)
    together = in_language(language, "、", " and ").join(unnamed)
    parts = [draft.scene or "", together, shown, speaking, weather]
    return in_language(language, "，", ", ").join(part for part in parts if part)


_OPENING_PRONOUN = re.compile(r"^(?:He|She)\b|^[他她](?!们)")


def cutaway(draft: Draft, setting: Setting, number: int, language: Language) -> Draft:
    """A silent look around in a shot's scene, to rest on what was told."""
    person = draft.people[0] if draft.people else ""
    views: list[tuple[ShotType, str, list[str]]] = [(ShotType.WIDE, _place_look(setting, language), [])]
    if person:
        face = in_language(language, f"{person}安静的神情", f"{person}, a quiet look")
        views.append((ShotType.CLOSE_UP, face, [person]))
    detail = in_language(language, "光影的细节", "a detail of the light")
    close = in_language(language, "，", ", ").join([_place_look(setting, language), detail])
    views.append((ShotType.EXTREME_CLOSE_UP, close, []))
    shot_type, words, people = views[number % len(views)]
    return Draft(
        people=list(people),
        scene=draft.scene,
        setting=draft.setting,
        weather=draft.weather,
        description=words,
        shot_type=shot_type,
        worth=0.0,
        paragraph=draft.paragraph,
        cutaway=True,
    )


def film_mentions(source: Source, naming_roles: dict[str, str | None]) -> Mentions:
    """Finds people in descriptions by their names in the film."""
    forms = {}
    for person in source.people:
        name = naming_roles.get(person.name)
        if name is not None:
            forms[name] = [name, *person.forms]
    return Mentions(forms, source.language)
