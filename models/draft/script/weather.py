"""Which weather the words bring, and how long it lasts: until other words, or until another time of day."""

import re

from models.draft.lexicon import shared
from models.draft.script.source import Line
from models.draft.weather_words import CLEAR, Said, ends, said

LYING = frozenset(["snow"])
"""Weather that a night does not take away."""

_SKY = re.compile(
    r"太阳|阳光|烈日|艳阳|日光|繁星|星空|月光|\b(?:sun|sunshine|sunlight|sunny|moonlight|starlight|starry)\b",
    re.IGNORECASE,
)
_BEGINS = re.compile(
    r"开始|下[雨雪][了啦]|下起|飘起|刮起|忽然|突然|渐渐|起了|下了起来|又下"
    r"|\b(?:beg(?:ins?|an|inning)|start(?:s|ed|ing)?|sudden(?:ly)?|comes? on|rolls? in)\b",
    re.IGNORECASE,
)
_NOW = re.compile(
    r"下(?P<zh>[雨雪])[了啦]|\b(?:it(?:['’]s| is)|look,?) (?:\w+ )?(?P<en>raining|snowing)\b", re.IGNORECASE
)
_NOW_MEANS = {"雨": "rain", "雪": "snow", "raining": "rain", "snowing": "snow"}
_LATER = re.compile(r"明天|昨天|昨晚|以前|从前|\b(?:tomorrow|yesterday|when|last)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"[^。！？!?.…\n]+[。！？!?.…]*")


def weather_after(text: str, before: str | None) -> str | None:
    """The weather after a beat's words. A wind blows for a sentence and is no weather of a scene; sun or stars end
    what would hide them."""
    named = None
    for hit in shared("weather").find(text):
        is_said = said(text, hit.start, hit.end)
        if is_said is Said.UNREAL or hit.entry.id == "wind":
            continue
        if is_said is Said.OVER:
            named = CLEAR
        elif not (named == "storm" and hit.entry.id == "rain"):
            named = hit.entry.id
    if ends(text):
        named = CLEAR
    if named is None and before and before not in LYING and _SKY.search(text):
        return CLEAR
    return named or before


def weather_spoken(lines: list[Line], before: str | None) -> str | None:
    """The weather after what people say of it: "The rain has stopped!", 下雪了. A question, or what was or will be,
    changes nothing."""
    for line in lines:
        for sentence in _SENTENCE.findall(line.text):
            if sentence.endswith(("?", "？", "吗", "吗。")) or _LATER.search(sentence):
                continue
            now = _NOW.search(sentence)
            if now and said(sentence, now.start(), now.end()) is Said.SO:
                before = _NOW_MEANS[(now.group("zh") or now.group("en")).lower()]
            elif ends_weather(sentence):
                before = CLEAR
    return before


def ends_weather(text: str) -> bool:
    """Whether the words say that some weather is over."""
    hits = shared("weather").find(text)
    over = any(said(text, hit.start, hit.end) is Said.OVER for hit in hits)
    return over or ends(text) or any(hit.entry.id == CLEAR for hit in hits)


def begins(text: str) -> bool:
    """Whether the words say that something begins, so that it was not so before."""
    return _BEGINS.search(text) is not None or ends_weather(text)


def after_time(weather: str | None, *, jumped: bool) -> str | None:
    """What is left of the weather where the story goes on at another time of day."""
    return weather if not jumped or weather in LYING else None
