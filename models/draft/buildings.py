"""Whether words about a building speak of its rooms or of the house as it is seen from outside."""

import re

_REACH = 48
_INTO_EN = re.compile(
    r"\b(?:inside|in|into|within|enter(?:s|ed|ing)?)\s+"
    r"(?:(?!front\b|sight\b|view\b|the shadow|the distance|of\b|and\b)[\w'’-]+\s+){0,4}$",
    re.IGNORECASE,
)
_INTO_ZH = re.compile(r"(?:[走跑冲闯溜踏迈躲]进|进入|进了|步入)[^，。！？；]{0,6}$")
_WITHIN_AFTER = re.compile(
    r"(?:的|那|大)?(?:里(?!程)|内(?!外)|中(?!央广场|学)|室内|深处|大厅|大堂|正殿)|[’']?s?\s+(?:interior|hall|nave|aisle|vault)\b",
    re.IGNORECASE,
)
# What lies round the house or on it: "in the castle garden", 走进教堂的院子.
_OUTSIDE_AFTER = re.compile(
    r"(?:的|那)?(?:院|花园|广场|门[口前外]|外|前|后面|旁|边|屋?顶|塔|墙)"
    r"|[’']?s?[\s-]*(?:yards?|towers?|squares?|gardens?|grounds|gates?|roofs?|walls?|hills?|steps|courtyard)\b",
    re.IGNORECASE,
)
_FURNISHED = re.compile(
    r"祭坛|圣坛|彩[色绘]玻璃|彩窗|唱诗班|长椅通向|王座|宝座|宴会|供桌|佛像前|香案"
    r"|\b(?:altar|pews?|stained[- ]glass|nave|choir sings|throne|banquet|chandeliers?)\b",
    re.IGNORECASE,
)
_OUT_EN = re.compile(
    r"\b(?:outside|in front of|out of|outdoors before|leav(?:es?|ing)|left)\s+(?:of\s+)?(?:[\w'’-]+\s+){0,3}$",
    re.IGNORECASE,
)
_OUT_ZH = re.compile(r"(?:[走跑冲溜踏迈逃]出|离开|出了)[^，。！？；]{0,4}$")
_OUT_AFTER = re.compile(r"(?:的|大)?(?:外|门[前口外]|前(?!厅)|的?台阶上)")


def is_inside(text: str, start: int, end: int) -> bool:
    """Whether somebody or something is in the building that ``text[start:end]`` names."""
    before, after = text[max(0, start - _REACH) : start], text[end:]
    if _OUTSIDE_AFTER.match(after):
        return False
    return bool(
        _WITHIN_AFTER.match(after) or _INTO_EN.search(before) or _INTO_ZH.search(before) or _FURNISHED.search(text)
    )


def is_before(text: str, start: int, end: int) -> bool:
    """Whether somebody is out of doors at the building that ``text[start:end]`` names."""
    before = text[max(0, start - _REACH) : start]
    return bool(_OUT_EN.search(before) or _OUT_ZH.search(before) or _OUT_AFTER.match(text[end:]))
