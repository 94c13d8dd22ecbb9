"""What a user's wish for a text asks: another name, less or more of it, other spoken words; and what is left of it."""

import re
from dataclasses import dataclass

from models.draft.script.text import has_words, one_line

_QUOTED = r"[“「『《\"'‘]([^”」』》\"'’]{1,200})[”」』》\"'’]"
_NAME_ZH = r"[“「『《\"']?([^，。；！？、,.;!?“”「」『』《》\"'\s的]{1,20})[”」』》\"']?"
_NAME_EN = r"[\"'“‘]?([A-Z][\w’-]*(?:\s+(?:(?:of|the|and|in)\s+){0,2}[A-Z][\w’-]*){0,4})[\"'”’]?"
_RENAME = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?:把|将)?(?:名字|姓名|标题|片名|题目)?(?:改名|更名|取名|起名|改称|改叫|命名)(?:为|成|叫|作|做)?{_NAME_ZH}",
        rf"(?:把|将)?(?:名字|姓名|标题|片名|题目)(?:改|换|叫|用|是|为)(?:为|成|叫|作|做)?{_NAME_ZH}",
        rf"(?:让)?[他她它](?:改)?叫(?:作|做)?{_NAME_ZH}",
        rf"(?:[Rr]ename|[Rr]etitle)d?(?:\s+(?:him|her|it|them|the\s+\w+))?\s+(?:to|as)\s+{_NAME_EN}",
        rf"[Cc]all(?:ed)?\s+(?:him|her|it|them|the\s+\w+)\s+{_NAME_EN}",
        rf"(?:[Cc]hange\s+)?(?:the\s+|[Hh]is\s+|[Hh]er\s+|[Tt]he\s+)?(?:name|title)\s+(?:is|to|should\s+be)\s+{_NAME_EN}",
    )
)
_NOUNS = r"(?:\s+(?:hair|dress|skirt|coat|sleeves?|scarf|beard|trousers|legs|shadows?))"
_SHORTER = re.compile(
    r"(?:写|说|讲|改)?(?:得)?(?:再|更|稍微?)?(?:精简|简短|简洁|简练|缩短|压缩|短小)(?:一)?[点些]?"
    r"|(?:写|说|讲|改)?(?:得)?(?:更短|再短|短一[点些]|短[点些])(?!的?(?:头发|发|裙|裤|袖))"
    rf"|(?:\b(?:make|keep)\s+it\s+)?\b(?:much\s+|a\s+bit\s+)?(?:shorter|briefer|more\s+concise|condensed?|tighter)\b(?!{_NOUNS})"
    r"|\b(?:shorten|condense|trim)\b(?:\s+it)?",
    re.IGNORECASE,
)
_LONGER = re.compile(
    r"(?:写|说|讲|改)?(?:得)?(?:再|更|稍微?)?(?:加长|详细|扩写|丰富|展开)(?:一)?[点些]?"
    r"|(?:写|说|讲|改)?(?:得)?(?:更长|再长|长一[点些]|长[点些])(?!的?(?:头发|发|裙|裤|袖))"
    rf"|(?:\bmake\s+it\s+)?\b(?:much\s+|a\s+bit\s+)?longer\b(?!{_NOUNS})"
    r"|\b(?:in\s+|with\s+)?more\s+detail(?:ed|s)?\b|\b(?:lengthen|elaborate|expand)\b(?:\s+(?:it|on\s+it))?",
    re.IGNORECASE,
)
_NARRATION = re.compile(
    rf"(?:(?:把|将)?(?:旁白|解说)(?:改|换|写)?(?:为|成|作)?[：:]?\s*|\b(?:the\s+)?narration\s*(?:to|is|says?|:)\s*){_QUOTED}",
    re.IGNORECASE,
)
_SPOKEN = re.compile(
    rf"(?:(?:把|将)?(?:台词|对白|对话)(?:改|换|写)?(?:为|成|作)?[：:]?\s*"
    rf"|\b(?:the\s+)?(?:line|dialogue)\s*(?:to|is|says?|:)\s*){_QUOTED}",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Wish:
    """``length`` is -1 for less text, 1 for more, 0 where the wish says nothing of it. ``rest`` is everything that
    none of the fields before it says."""

    name: str = ""
    length: int = 0
    narration: str = ""
    spoken: str = ""
    rest: str = ""


def read_wish(text: str) -> Wish:
    """Later words of a kind count where several are said."""
    rest = one_line(text)
    rest, narration = _take(_NARRATION, rest)
    rest, spoken = _take(_SPOKEN, rest)
    name = ""
    for pattern in _RENAME:
        rest, found = _take(pattern, rest)
        name = name or found.strip()
    shorter, longer = bool(_SHORTER.search(rest)), bool(_LONGER.search(rest))
    rest = _LONGER.sub("", _SHORTER.sub("", rest))
    rest = _trimmed(rest)
    return Wish(name, int(longer) - int(shorter), narration, spoken, rest if has_words(rest) else "")


def _take(pattern: re.Pattern[str], text: str) -> tuple[str, str]:
    """The text without what the pattern matches, and what its last match names."""
    found = [match[1] for match in pattern.finditer(text)]
    return (pattern.sub("", text), found[-1]) if found else (text, "")


def _trimmed(text: str) -> str:
    """Without the marks and joints that stood between what was taken out."""
    text = re.sub(r"([，。；、,.;])\s*(?:[，。；、,.;]\s*)+", r"\1", text).strip()
    text = re.sub(r"^(?:[，。；、,.;:：\s]|并且|并|和|\band\b\s*)+", "", text)
    return re.sub(r"(?:[，。；、,.;:：\s]|并且|\s\band\b)+$", "", text)
