"""Where and when: the settings of a story, and the scenes they make."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from models.draft import lexicon
from models.draft.buildings import is_before, is_inside
from models.draft.lexicon import Hit, shared
from models.draft.script import moods
from models.draft.script.people import Mentions
from models.draft.script.source import Beat, Setting, Source
from models.draft.script.text import in_language, sentence_case, shorten
from models.draft.script.weather import after_time, begins, weather_after, weather_spoken
from models.specs import Language, Scene

MAX_SETTINGS = 12

# A place word moves the story there only with one of these before (or, for some, after) it; else it is only talked of.
_ZH_BEFORE = ("在", "到", "进", "回", "过", "向", "往", "上", "去", "沿着", "来到", "穿", "入")
_ZH_AFTER = ("里", "上", "中", "边", "内", "外", "下", "前", "旁", "口", "的", "，", "。")
_EN_BEFORE = frozenset(
    [
        "in",
        "on",
        "at",
        "into",
        "onto",
        "to",
        "inside",
        "through",
        "across",
        "along",
        "down",
        "up",
        "over",
        "under",
        "beside",
        "by",
        "near",
        "toward",
        "towards",
        "reached",
        "entered",
        "left",
        "crossed",
        "behind",
        "outside",
        "from",
        "above",
        "around",
    ]
)
_ZH_LEAVING = ("离开", "走出", "跑出", "逃出", "告别", "远离", "像", "想念", "想起")
_EN_LEAVING = frozenset(["left", "leaves", "leave", "leaving", "from", "of", "like"])
_EN_BETWEEN = 3


def assign_settings(source: Source, mentions: Mentions) -> None:
    """Fill in ``source.settings`` and the setting of every beat from the words of the beats: a new setting begins
    where the story's place or time changes. What comes before the first place named happens there too."""
    current = Setting()
    given: list[Setting] = []
    seen_since: int | None = None  # since which beat the place has been one that is only seen
    paragraph = -1
    for number, beat in enumerate(source.beats):
        text = "" if beat.is_quoted else mentions.mask(beat.told)
        stay = _place_in(text, current, source.language, is_opening=beat.paragraph != paragraph)
        paragraph = beat.paragraph
        if stay:
            if seen_since is not None and stay.entered and stay.place in _near("place", current.place):
                given[seen_since:] = [_at(stay, setting) for setting in given[seen_since:]]
            seen_since = number if not stay.entered and _is_afar(stay.place) else None
            current = _at(stay, current)
        current = current if text.endswith(("?", "？")) else _next(current, text)
        current = replace(current, weather=weather_spoken(beat.lines, current.weather))
        given.append(current)
    _fill_backwards(given, source.beats)
    for beat, setting in zip(source.beats, given, strict=True):
        beat.weather = setting.weather
    source.settings = _numbered(given, source.beats)
    source.scene_names = [told_name(setting, source.language) for setting in source.settings]
    _make_unique(source.scene_names)


def follow_weather(source: Source) -> None:
    """Fill in the weather of beats whose settings an author named; it lasts until a beat, a scene or another time of
    day changes it."""
    current: str | None = None
    before: Setting | None = None
    for beat in source.beats:
        setting = source.settings[beat.setting]
        if setting is not before:
            current = after_time(current, jumped=before is not None and _jumps(before.time, setting.time))
            current, before = setting.weather or current, setting
        current = weather_spoken(beat.lines, weather_after(beat.told, current))
        beat.weather = current


def read_setting(text: str, *, label: str = "") -> Setting:
    """The setting a phrase such as a scene heading names."""
    place = shared("place").first(label) or shared("place").first(text)
    named = [hit for hit in shared("place").find(text) if hit.entry is place]
    time = shared("time").first(text) or lexicon.time_hints().first(text)
    return Setting(
        place=place.id if place else None,
        time=time.id if time else None,
        weather=weather_after(text, None),
        label=label,
        interior=_interior(text, named[-1]) if named else None,
    )


def _next(current: Setting, text: str) -> Setting:
    """The setting after a beat's words, as far as time and weather go."""
    time = shared("time").first(text)
    hint = lexicon.time_hints().first(text)
    if time and time.id != current.time:
        if current.time is None or time.id not in _near("time", current.time):
            left = after_time(current.weather, jumped=_jumps(current.time, time.id))
            current = replace(current, time=time.id, weather=left)
    elif hint and current.time is None:
        current = replace(current, time=hint.id)
    return replace(current, weather=weather_after(text, current.weather))


def _jumps(before: str | None, time: str | None) -> bool:
    """Whether the story goes on at an hour that does not follow on the one before."""
    return None not in {before, time} and time != before and time not in _near("time", before)


@dataclass(frozen=True)
class _Stay:
    """A place the words speak of: whether somebody is said to be in it, the name it is given, whether the words are
    inside of a building."""

    place: str
    entered: bool
    label: str
    interior: bool | None = None


def _at(stay: _Stay, setting: Setting) -> Setting:
    return replace(setting, place=stay.place, label=stay.label, interior=stay.interior)


def _interior(text: str, hit: Hit) -> bool | None:
    """Of a building with rooms of its own, whether the words are inside; None of any other place."""
    return is_inside(text, hit.start, hit.end) if "inside_en" in hit.entry.fields else None


def _place_in(text: str, current: Setting, language: Language, *, is_opening: bool) -> _Stay | None:
    """The place the words bring the story to, the last one if there are several; None if it stays where it is."""
    stay: _Stay | None = None
    hinted = {hit.start for hit in lexicon.indoor_hints().find(text)}
    for hit in sorted([*shared("place").find(text), *lexicon.indoor_hints().find(text)], key=lambda hit: hit.start):
        if hit.start in hinted:
            if not _is_indoor(stay.place if stay else current.place):
                stay = _Stay(hit.entry.id, True, "")
            continue
        place = hit.entry.id
        interior = _interior(text, hit)
        entered = interior or _is_where(text, hit)
        word = hit.word.lower()
        label = word if word in hit.entry.fields.get(f"own_{language}", ()) else ""
        if current.place is None:
            if stay is None or (entered and not stay.entered):
                stay = _Stay(place, entered, label, interior)
        elif place == current.place and current.interior and is_before(text, hit.start, hit.end):
            stay = _Stay(place, True, label or current.label, False)
        elif place == current.place:
            stay = _Stay(place, True, label or current.label, interior) if entered else stay
        elif entered and (not _in_view(place, current.place, hit) or (is_opening and not _is_afar(place))):
            stay = _Stay(place, True, label, interior)
    return stay


def _in_view(place: str, current: str, hit: Hit) -> bool:
    """Whether one sees the place from the current one without going there; going inside is always a move."""
    if place not in _near("place", current) or (_is_afar(current) and not _is_afar(place)):
        return False
    here = next(entry for entry in shared("place").entries if entry.id == current)
    return not (hit.entry.fields["scene_type"] == "indoor" and here.fields["scene_type"] == "outdoor")


def _is_indoor(place: str | None) -> bool:
    return any(entry.id == place and entry.fields["scene_type"] == "indoor" for entry in shared("place").entries)


def _is_afar(place: str) -> bool:
    return any(entry.id == place and entry.fields.get("afar", False) for entry in shared("place").entries)


def _is_where(text: str, hit: Hit) -> bool:
    before, after = text[: hit.start], text[hit.end :]
    if hit.word.isascii():
        words = [word.strip(",.;:").lower() for word in before.split()[-_EN_BETWEEN:]]
        return any(word in _EN_BEFORE for word in words) and not any(word in _EN_LEAVING for word in words)
    if before.endswith(_ZH_LEAVING):
        return False
    return before.rstrip().endswith(_ZH_BEFORE) or (
        after.startswith(_ZH_AFTER) and any(cue in before[-8:] for cue in _ZH_BEFORE)
    )


def _near(section: str, entry_id: str | None) -> frozenset[str]:
    for entry in shared(section).entries:
        if entry.id == entry_id:
            return frozenset(entry.fields["near"])
    return frozenset()


def _fill_backwards(given: list[Setting], beats: list[Beat]) -> None:
    """Beats before the first known place take it over. A time or a weather holds backwards only in the same scene:
    where nothing was said of it, the words do not bring it with them, and no new paragraph opens with it."""
    first = next((setting for setting in given if setting.place), None)
    label = next((setting.label for setting in given if setting.label), "")
    for index, setting in enumerate(given):
        if setting.place or first is None:
            break
        own_label = label if first.label == label else setting.label
        given[index] = replace(setting, place=first.place, label=own_label, interior=first.interior)
    for index in range(1, len(given)):
        opens = beats[index].paragraph != beats[index - 1].paragraph
        if given[index].time and not given[index - 1].time and not opens:
            _fill(given, index, "time")
        if given[index].weather and not given[index - 1].weather and not opens and not begins(beats[index].words):
            _fill(given, index, "weather")


def _fill(given: list[Setting], until: int, attribute: str) -> None:
    here = given[until]
    for index in range(until - 1, -1, -1):
        if getattr(given[index], attribute) or given[index].place != here.place:
            break
        if attribute == "weather" and given[index].time != here.time:
            break
        given[index] = replace(given[index], **{attribute: getattr(here, attribute)})


def _numbered(given: list[Setting], beats: list[Beat]) -> list[Setting]:
    """The distinct settings, and each beat's number among them. Weather does not part settings; past MAX_SETTINGS a
    beat stays where the story was."""
    distinct: list[Setting] = []
    keys: dict[tuple[str | None, str | None, bool | None], int] = {}
    last = 0
    for setting, beat in zip(given, beats, strict=True):
        key = (setting.place, setting.time, setting.interior)
        if key not in keys and len(distinct) < MAX_SETTINGS:
            keys[key] = len(distinct)
            distinct.append(setting)
        last = keys.get(key, last)
        beat.setting = last
    return distinct or [Setting()]


def setting_name(setting: Setting, language: Language) -> str:
    """Such as 黄昏的海滩 or "Beach at sunset"."""
    place = setting.label or _word("place", setting.place, language)
    time = _word("time", setting.time, language)
    if shared("time").find(setting.label):
        time = ""
    if language == "zh":
        if place and time:
            return f"{time}的{place}"
        return place or (f"{time}时分" if time else "故事之中")
    if not place:
        return sentence_case(time) if time else "Open stage"
    phrase = next((e.fields["phrase_en"] for e in shared("time").entries if time and e.id == setting.time), "")
    return sentence_case(f"{place} {phrase}".strip())


def told_name(setting: Setting, language: Language) -> str:
    """The name of a setting that a story told: an author's heading says itself whether it is inside."""
    name = setting_name(setting, language)
    if not setting.interior:
        return name
    return in_language(language, f"{name}里", f"Inside the {name[0].lower()}{name[1:]}")


def _word(section: str, entry_id: str | None, language: Language) -> str:
    for entry in shared(section).entries:
        if entry.id == entry_id:
            return entry.text("name", language)
    return ""


def _make_unique(names: list[str]) -> None:
    seen: dict[str, int] = {}
    for index, name in enumerate(names):
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            names[index] = f"{name} {seen[name]}"


def make_scenes(source: Source, tone: str, instruction: str) -> list[Scene]:
    """The scenes of the settings. A wish for another time, weather or place changes the scenes it names, or all."""
    named = [name for name in source.scene_names if name in instruction]
    scenes = []
    for number, (setting, name) in enumerate(zip(source.settings, source.scene_names, strict=True)):
        wish = instruction if not named or name in named else ""
        beats = [beat for beat in source.beats if beat.setting == number]
        scenes.append(_scene(setting, name, beats, tone, wish, source.language))
    return scenes


def make_scene(setting: Setting, name: str, wish: str, tone: str, language: Language) -> Scene:
    """One scene without a story around it, as a wish has it."""
    return _scene(setting, name, [], tone, wish, language)


def _scene(setting: Setting, name: str, beats: Iterable[Beat], tone: str, wish: str, language: Language) -> Scene:
    wished = read_setting(wish)
    setting = replace(
        setting,
        place=wished.place or setting.place,
        time=wished.time or setting.time,
        weather=wished.weather or setting.weather,
        interior=wished.interior if wished.place else setting.interior,
    )
    place = next((e for e in shared("place").entries if e.id == setting.place), None)
    time = next((e for e in shared("time").entries if e.id == setting.time), None)
    is_indoor = setting.interior if setting.interior is not None else place and place.fields["scene_type"] == "indoor"
    weather = "" if is_indoor else _word("weather", setting.weather, language)
    look = place.text("inside" if is_indoor and place.text("inside", language) else "look", language) if place else ""
    told = next((beat.description or beat.narration for beat in beats if beat.description or beat.narration), "")
    parts = [
        setting_name(setting, language),
        look,
        weather,
        shorten(told, language, zh_characters=40, en_words=18) if not place else "",
        wish.strip(),
    ]
    joint = in_language(language, "，", ", ")
    mood = moods.by_id("tone", tone)
    wished_tone = next(iter(moods.vocabulary("tone").scores(wish)), None)
    if wished_tone:
        mood = moods.by_id("tone", wished_tone)
    interior = setting.interior if setting.interior is not None else None
    scene_type = place.fields["scene_type"] if place else "abstract"
    if interior is not None:
        scene_type = "indoor" if interior else "outdoor"
    light = time.text("light", language) if time else in_language(language, "柔和均匀的光线", "soft even light")
    if scene_type == "indoor":
        light += in_language(language, "，室内有一盏暖灯", ", one warm lamp indoors")
    return Scene(
        name=name,
        scene_type=scene_type,
        description=joint.join(part.rstrip("。.，,") for part in parts if part),
        atmosphere=mood.text("atmosphere", language),
        lighting=light,
        camera_angle=in_language(language, "平视", "eye level")
        if scene_type == "indoor"
        else in_language(language, "略低的广角", "slightly low wide angle"),
    )
