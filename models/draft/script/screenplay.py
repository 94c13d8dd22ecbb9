"""Reading a Fountain screenplay: headings are settings, cues speak, action is told and shown."""

import re
from collections import Counter
from dataclasses import replace

from models.draft.lexicon import shared
from models.draft.script import chinese, fountain, moods
from models.draft.script.fountain import Element, Kind
from models.draft.script.moods import emotion_of, emotion_of_speech
from models.draft.script.names import one_spelling, plain_name
from models.draft.script.people import find_people, mentions_of
from models.draft.script.pronouns import follow_pronouns
from models.draft.script.prose import MAX_LINE_S
from models.draft.script.sentences import split_sentences
from models.draft.script.settings import follow_weather, read_setting, setting_name
from models.draft.script.source import Beat, Line, Setting, Source
from models.draft.script.text import one_line, speech_seconds
from models.specs import Emotion, Language, Transition

_INTERIOR = re.compile(r"^(?:int|i/e|内)", re.IGNORECASE)
_PREFIX = re.compile(
    r"^(?:(?:int\.?/ext|ext\.?/int|i/e|int|ext|est)[.\s]\s*|(?:内外景|内/外景|内景|外景|内|外)[\s.。:：、]*)",
    re.IGNORECASE,
)
_TIME_PART = re.compile(r"\s*(?:-{1,2}|–|—|－)+\s*|\s{2,}|[，,]\s*|(?<=[\u3400-\u9fff])\s+(?=[\u3400-\u9fff]+$)|[／/]")
_SINGLE_TIMES = {
    "日": "day",
    "夜": "night",
    "晨": "dawn",
    "昏": "sunset",
    "晚": "night",
    "later": None,
    "continuous": None,
}
_CONTINUING = frozenset(["later", "continuous", "moments later", "same", "same time", "稍后", "连续", "同时", "同上"])
_NARRATION_EXTENSIONS = re.compile(r"narrat|旁白|解说", re.IGNORECASE)
_THE_END = frozenset(["the end", "end", "fin", "完", "终", "剧终", "全剧终"])
_NARRATORS = frozenset(["narrator", "旁白", "解说", "画外音"])


def read(text: str, language: Language) -> Source:
    """A screenplay as a source with its people and settings. Raises UserInputError naming the line that is wrong."""
    screenplay = fountain.parse(text, language)
    fountain.require_scenes(screenplay, language)
    reader = _Reader(language, one_spelling(e.text for e in screenplay.elements if e.kind == Kind.CUE))
    for element in screenplay.elements:
        reader.take(element)
    reader.close()
    source = Source(language, text, reader.beats, title=_title(screenplay))
    source.settings = reader.settings or [_whole_setting(reader.beats)]
    source.scene_names = _names(source.settings, language)
    follow_weather(source)
    _find_people(source, reader.cues)
    return source


class _Reader:
    """Takes the elements one by one."""

    def __init__(self, language: Language, spelling: dict[str, str]) -> None:
        """``spelling``: for every cue its character's name. Action repeats those written in capital letters."""
        self.language: Language = language
        self._spelling = {cue: _name_case(name) for cue, name in spelling.items()}
        capitals = [plain_name(cue) for cue in spelling if cue.isupper()]
        capitals.sort(key=lambda name: (-len(name), name))
        self._names = re.compile(rf"\b(?:{'|'.join(map(re.escape, capitals)) or '(?!)'})\b")
        self.beats: list[Beat] = []
        self.settings: list[Setting] = []
        self.cues: list[str] = []
        self._setting = 0
        self._speaker: str | None = None
        self._emotion = Emotion.NEUTRAL
        self._speech: list[str] = []
        self._paragraph = 0
        self._scene_begins: int | None = None

    def take(self, element: Element) -> None:
        if element.kind == Kind.DIALOGUE or (element.kind == Kind.LYRICS and self._speaker is not None):
            self._speech.append(element.text)
            return
        if element.kind == Kind.PARENTHETICAL:
            self._say()
            self._emotion = emotion_of(element.text)
            return
        self.finish()
        self._paragraph += 1
        if element.kind == Kind.HEADING:
            self._enter(element.text)
        elif element.kind == Kind.CUE:
            self._speaker = self._spelling[element.text]
            narrates = element.text.lower() in _NARRATORS or _NARRATION_EXTENSIONS.search(element.extension)
            if narrates:
                self._speaker = ""
            elif self._speaker not in self.cues:
                self.cues.append(self._speaker)
        elif element.kind in {Kind.ACTION, Kind.LYRICS, Kind.CENTERED}:
            self._show(element)
        elif element.kind == Kind.TRANSITION and self.beats:
            self.beats[-1].transition = _transition(element.text)

    def finish(self) -> None:
        """End the speech that is being collected."""
        self._say()
        self._speaker = None
        self._emotion = Emotion.NEUTRAL

    def close(self) -> None:
        """End the speech and the scene: a scene in which nothing happens is a view of its place."""
        self.finish()
        if self._scene_begins == len(self.beats):
            self.beats.append(Beat(paragraph=self._paragraph, setting=self._setting))

    def _say(self) -> None:
        words = one_line(" ".join(self._speech))
        self._speech = []
        if not words or self._speaker is None:
            return
        group = ""
        for sentence in split_sentences(words, chinese.words):
            if group and speech_seconds(group) + speech_seconds(sentence) > MAX_LINE_S:
                self._line(group)
                group = ""
            group = one_line(f"{group} {sentence}")
        if group:
            self._line(group)

    def _line(self, words: str) -> None:
        if not self._speaker:
            self.beats.append(Beat(narration=words, paragraph=self._paragraph, setting=self._setting))
            return
        emotion = self._emotion if self._emotion != Emotion.NEUTRAL else emotion_of_speech(words)
        line = Line(self._speaker, words, emotion)
        self.beats.append(Beat(lines=[line], people=[self._speaker], paragraph=self._paragraph, setting=self._setting))

    def _show(self, element: Element) -> None:
        if element.kind == Kind.CENTERED and element.text.strip(" .。!！").lower() in _THE_END:
            return
        # Action is seen, not heard: nobody reads it out in a film.
        for sentence in split_sentences(one_line(self._names.sub(_title_case, element.text)), chinese.words):
            self.beats.append(Beat(description=sentence, paragraph=self._paragraph, setting=self._setting))

    def _enter(self, heading: str) -> None:
        self.close()
        self._scene_begins = len(self.beats)
        setting = heading_setting(heading, self.settings[self._setting] if self.settings else None)
        if setting in self.settings:
            self._setting = self.settings.index(setting)
        else:
            # What comes before the first heading happens in it.
            self._setting = len(self.settings)
            self.settings.append(setting)


def heading_setting(heading: str, before: Setting | None) -> Setting:
    """The setting of a heading such as ``INT. ROOFTOP - NIGHT`` or 外景 天台 夜; a heading without a time, or one that
    says "later", keeps the time before it."""
    body = _PREFIX.sub("", heading).strip()
    parts = [part.strip() for part in _TIME_PART.split(body) if part and part.strip()]
    label = parts[0] if parts else body
    time: str | None = None
    for part in parts[1:]:
        found = shared("time").first(part)
        time = time or (found.id if found else _SINGLE_TIMES.get(part.lower()))
    if len(parts) > 1 and time is None and parts[-1].lower() not in _CONTINUING:
        label = " ".join(parts)
    read = read_setting(label)
    time = time or read.time or (before.time if before else None)
    interior = _INTERIOR.match(heading) is not None if _PREFIX.match(heading) else None
    return Setting(read.place, time, shared_weather(heading), _label_case(label), interior)


def shared_weather(text: str) -> str | None:
    weather = shared("weather").first(text)
    return weather.id if weather else None


def _label_case(label: str) -> str:
    return label.capitalize() if label.isupper() else label


def _transition(words: str) -> Transition | None:
    """A transition the screenplay names; None for one the film has no way to show."""
    words = words.strip().lower().rstrip(":：.。")
    for value, names in moods.data()["transition"].items():
        if words in names or words.removesuffix(" to") in names:
            return Transition(value)
    return Transition.CUT if words.endswith("to") else None


def _title(screenplay: fountain.Screenplay) -> str:
    return one_line(screenplay.title_page.get("title", ""))


def _whole_setting(beats: list[Beat]) -> Setting:
    return replace(read_setting(" ".join(beat.told for beat in beats)), weather=None)


def _names(settings: list[Setting], language: Language) -> list[str]:
    names: list[str] = []
    for setting in settings:
        name = setting_name(setting, language)
        names.append(name if name not in names else f"{name} {len(names) + 1}")
    return names


def _find_people(source: Source, cues: list[str]) -> None:
    """Cue names are people for certain; action adds those who never speak. How often somebody speaks counts too."""
    told = [beat.description for beat in source.beats if beat.description]
    source.people = find_people(told, source.language, cues)
    turns = Counter(line.speaker for beat in source.beats for line in beat.lines)
    for person in source.people:
        person.mentions += turns[person.name]
    source.people.sort(key=lambda person: (-person.mentions, person.first))
    mentions = mentions_of(source.people, source.language)
    for beat in source.beats:
        said = [line.speaker for line in beat.lines if line.speaker]
        beat.people = list(dict.fromkeys([*said, *mentions.names(beat.told)]))
    follow_pronouns(source)


def _title_case(match: re.Match[str]) -> str:
    return _name_case(match.group())


def _name_case(cue: str) -> str:
    return cue.title() if cue.isupper() and cue.isascii() else cue
