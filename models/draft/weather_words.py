"""What words for weather say of it: that it is so, that it is over, or nothing, as in "like rain"."""

import re
from enum import Enum

CLEAR = "clear"
_REACH = 24

_OVER_ZH = "(?:也|都|就|早已|早就|已经|已|刚刚?|终于|渐渐|慢慢|忽然|突然|不知何时)*"
_OVER_AFTER = re.compile(
    rf"{_OVER_ZH}(?:停(?!车|下脚)|住了|散了|散去|散尽|歇了|过去了|退去|消散)"
    r"|[过之]?后(?!面|方|来|悔)"
    r"|\s+(?:(?:has|had|have|is|was|finally|slowly|now|at last|already|just|suddenly)\s+)*"
    r"(?:stop(?:s|ped|ping)?|end(?:s|ed|ing)?|clear(?:s|ed|ing)?|ceas(?:es|ed|e)|pass(?:es|ed)?(?!\s+(?:by|the|over))"
    r"|over(?=[\s]*(?:[,.;!?]|$))|gone|lift(?:s|ed|ing)?|lets? up|die[sd]? down)\b",
    re.IGNORECASE,
)
_OVER_BEFORE = re.compile(
    r"(?:不再|没有|停止)下?$"
    r"|\b(?:no|no longer|without|stop(?:s|ped)|ceased|after)\s+(?:(?:the|a|an|any|more|that|longer)\s+)*(?:\w+\s+)?$",
    re.IGNORECASE,
)
_TO_COME = re.compile(
    r"(?:等|等到|等着|如果|要是|假如|若是?|盼着?|希望|直到|不会)[^，。！？]{0,3}$"
    r"|\b(?:until|till|if|before|hop(?:e|es|ed|ing)|wait(?:s|ed|ing)? for)\s+(?:\w+\s+){0,2}$",
    re.IGNORECASE,
)
_UNREAL = re.compile(
    r"(?:像|如同|仿佛|好像|如果|要是|假如|希望|会|将|快要?|要)[^，。！？]{0,2}$"
    r"|\b(?:like|as (?:\w+ )?as|if|before|hop(?:e|es|ed|ing)|will|would|may|might|going to)\s+"
    r"(?:(?:a|the|it|soft|falling)\s+)*$",
    re.IGNORECASE,
)
_ENDED_ZH = re.compile(f"[雨雪雾](?={_OVER_ZH}停|{_OVER_ZH}住了|{_OVER_ZH}散)")


class Said(Enum):
    SO = "so"
    OVER = "over"
    UNREAL = "unreal"


def said(text: str, start: int, end: int) -> Said:
    """What is said of the weather that ``text[start:end]`` names: 雨停了 and "after the rain" are over, 要下雨了 and
    "tears like rain" unreal, 等雨停 is still so."""
    before, after = text[max(0, start - _REACH) : start], text[end : end + _REACH]
    if _OVER_AFTER.match(after) or _OVER_BEFORE.search(before):
        return Said.SO if _TO_COME.search(before) else Said.OVER
    return Said.UNREAL if _UNREAL.search(before) else Said.SO


def ends(text: str) -> bool:
    """Whether 雨, 雪 or 雾 by itself is said to be over; alone they say too little to name the weather."""
    return any(said(text, match.start(), match.end()) is Said.OVER for match in _ENDED_ZH.finditer(text))
