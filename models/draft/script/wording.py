"""Changing the words of a told text: less of it, more of it, at another time, in other weather, elsewhere."""

from collections import Counter

from models.draft.lexicon import Entry, Hit, shared
from models.draft.script import chinese
from models.draft.script.sentences import split_sentences
from models.draft.script.settings import read_setting
from models.draft.script.text import in_language, join_sentences, sentence_case, shorten
from models.specs import Language

# What stands before 下 or 里 is a light, not an hour: 夕阳下 becomes 月光下.
_LIGHTS_ZH = {
    "dawn": "晨光", "morning": "晨光", "day": "阳光", "afternoon": "斜阳",
    "sunset": "夕阳", "dusk": "暮色", "night": "月光",
}  # fmt: skip
_WEATHERS_EN = {
    "clear": "under a clear sky", "cloudy": "under grey clouds", "storm": "in a storm", "rain": "in the rain",
    "snow": "in the snow", "fog": "in the fog", "wind": "in the wind",
}  # fmt: skip


def shortened(text: str, language: Language) -> str:
    """About half of the text: its first and last sentence and, evenly, some between; a lone sentence is cut."""
    sentences = split_sentences(text, chinese.words if language == "zh" else list)
    if len(sentences) < 2:
        return shorten(text, language, zh_characters=max(6, len(text) // 2), en_words=max(4, len(text.split()) // 2))
    wanted = max(1, len(sentences) // 2)
    if wanted == 1:
        return sentences[0].strip()
    step = (len(sentences) - 1) / (wanted - 1)
    return join_sentences(sentences[round(index * step)].strip() for index in range(wanted))


def extended(text: str, language: Language, tone: Entry) -> str:
    """The text with how its place looks and how it feels there."""
    setting = read_setting(text)
    place = next((entry for entry in shared("place").entries if entry.id == setting.place), None)
    time = next((entry for entry in shared("time").entries if entry.id == setting.time), None)
    seen = [entry.text(field, language) for entry, field in ((place, "look"), (time, "light")) if entry is not None]
    feeling = tone.text("atmosphere", language)
    if language == "zh":
        around = f"{'，'.join(seen)}。" if seen else ""
        more = f"{around}四周的气氛{feeling}。"
    else:
        around = f"{sentence_case(', '.join(seen))}. " if seen else ""
        more = f"{around}Everything around feels {feeling}."
    return join_sentences([text.rstrip(), more])


def retimed(text: str, wish: str, language: Language) -> str:
    """The text at the time of day, in the weather and the place that a wish names. Words of the text that say another
    are replaced; where it says none, it opens with the wished one."""
    wished = read_setting(wish)
    opening = []
    for section, entry_id in (("place", wished.place), ("time", wished.time), ("weather", wished.weather)):
        entry = next((entry for entry in shared(section).entries if entry.id == entry_id), None)
        if entry is None:
            continue
        said = [hit for hit in shared(section).find(text) if hit.entry.id != "wind"]  # a wind blows in any weather
        hits = [hit for hit in said if hit.entry.id != entry.id]
        if section == "place" and hits:
            main = Counter(hit.entry.id for hit in hits).most_common(1)[0][0]
            hits = [hit for hit in hits if hit.entry.id == main]
        if hits:
            text = _replaced(text, hits, entry, section, language)
        elif not said:
            opening.append(_phrase(entry, section, language))
    if not opening:
        return text
    return in_language(language, f"{'，'.join(opening)}。{text}", f"{sentence_case(', '.join(opening))}. {text}")


def _replaced(text: str, hits: list[Hit], entry: Entry, section: str, language: Language) -> str:
    for hit in reversed(hits):
        word = entry.text("name", language)
        if section == "time" and language == "zh" and text[hit.end : hit.end + 1] in {"下", "里", "中"}:
            word = _LIGHTS_ZH[entry.id]
        if language == "en" and hit.word[:1].isupper():
            word = sentence_case(word)
        text = text[: hit.start] + word + text[hit.end :]
    return text


def _phrase(entry: Entry, section: str, language: Language) -> str:
    name = entry.text("name", language)
    if section == "time":
        return in_language(language, name, entry.text("phrase", "en"))
    if section == "place":
        return in_language(language, f"在{name}", f"in the {name}")
    return in_language(language, name, _WEATHERS_EN[entry.id])
