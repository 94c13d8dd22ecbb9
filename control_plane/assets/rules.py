"""Pure decisions of the asset library: what is searched, which category, which colours, which voice fits."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import ImageColor

from models.catalog import Voice
from models.draft.script import people

MUSIC_TOLERANCE_S = 1.0
MUSIC_TOLERANCE_SHARE = 0.02


def search_key(text: str) -> str:
    """Text as it is compared: full-width forms and letter case make no difference."""
    return unicodedata.normalize("NFKC", text).casefold()


def search_text(*parts: str | Iterable[str] | None) -> str:
    """Everything of an asset that a keyword is looked for in; a keyword never spans two parts."""
    found: list[str] = []
    for part in parts:
        found += [part] if isinstance(part, str) else part or ()
    return "\n".join(search_key(text) for text in found if text)


# --- categories ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Category:
    id: str
    zh: str
    en: str
    parent_id: str | None = None


_GENDERS = {"female": ("女性", "Female"), "male": ("男性", "Male"), "other": ("其他", "Other")}
_AGES = {
    "child": ("儿童", "Child"),
    "young": ("青年", "Young"),
    "adult": ("成年", "Adult"),
    "elder": ("老年", "Elder"),
}
_STYLES = {
    "realistic": ("写实", "Realistic"),
    "illustration": ("插画", "Illustration"),
    "painting": ("绘画", "Painting"),
    "custom": ("自定义", "Custom"),
}
_LANGUAGES = {"zh": ("中文", "Chinese"), "en": ("英文", "English")}
_USES = {"narration": ("旁白", "Narration"), "dialogue": ("对白", "Dialogue")}
CUSTOM_STYLE = "custom"


def _tree(root: str, parents: Mapping[str, tuple[str, str]], children: Mapping[str, tuple[str, str]]) -> list[Category]:
    tree = []
    for parent, (zh, en) in parents.items():
        tree.append(Category(f"{root}.{parent}", zh, en))
        tree += [
            Category(f"{root}.{parent}.{child}", *names, parent_id=f"{root}.{parent}")
            for child, names in children.items()
        ]
    return tree


CATEGORIES: dict[str, list[Category]] = {
    "character": _tree("character", _GENDERS, _AGES),
    "style": _tree("style", _STYLES, {}),
    "voice": _tree("voice", _LANGUAGES, _USES),
}


def categories_within(asset_type: str, category_id: str) -> list[str]:
    """The category's id and those of its children; empty where the type has no such category."""
    return [category.id for category in CATEGORIES[asset_type] if category_id in {category.id, category.parent_id}]


def character_category(gender: str, age: str) -> str:
    return f"character.{gender}.{age}"


def style_category(keywords: Iterable[str], known: Mapping[str, str]) -> str:
    """The family of the first keyword that names a technique of a shipped style, else ``custom``. ``known`` maps such
    keywords to families."""
    return next((known[key] for key in map(search_key, keywords) if key in known), CUSTOM_STYLE)


def voice_category(language: str, use: str) -> str:
    return f"voice.{language}.{use}"


# --- characters and styles ----------------------------------------------------------------------------------------


def age_of(*texts: str) -> str:
    """How old a described person is: ``child``, ``young``, ``adult`` or ``elder``. What says nothing means adult."""
    for text in texts:
        hit = next(iter(people.ages().find(text)), None)
        if hit is not None:
            return hit.entry.id
        role = next(
            (hit.entry.fields.get("age") for hit in people.roles().find(text) if hit.entry.fields.get("age")), None
        )
        if role is not None:
            return str(role)
    return "adult"


def fill_template(template: str, text: str) -> str:
    """A prompt template around what it is for. One without ``{prompt}`` follows the text."""
    if not template.strip():
        return text
    if "{prompt}" in template:
        return template.replace("{prompt}", text).strip(" ,，")
    return f"{text}, {template}" if text else template


class NotAColourError(ValueError):
    """``path`` says where in the palette, such as ``accent.1``."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


def colours_of(palette: Mapping[str, Any]) -> list[str]:
    """The colours of a palette of any shape as ``#rrggbb``, each once, in order. Raises NotAColourError."""
    colours: dict[str, None] = {}

    def walk(value: Any, path: str, depth: int) -> None:
        if isinstance(value, Mapping) and depth < 4:
            for key, item in value.items():
                walk(item, f"{path}.{key}" if path else str(key), depth + 1)
        elif isinstance(value, list) and depth < 4:
            for index, item in enumerate(value):
                walk(item, f"{path}.{index}", depth + 1)
        elif isinstance(value, str):
            try:
                red, green, blue = ImageColor.getrgb(value)[:3]
            except ValueError:
                raise NotAColourError(path) from None
            if not all(0 <= part <= 255 for part in (red, green, blue)):
                raise NotAColourError(path)
            colours[f"#{red:02x}{green:02x}{blue:02x}"] = None
        else:
            raise NotAColourError(path)

    walk(palette, "", 0)
    return list(colours)


# --- voices and music ---------------------------------------------------------------------------------------------

# What people write for a tone or an age, and how the catalog calls it.
_TONES = {
    "calm": ("calm", "steady", "沉稳", "平静", "平和", "冷静"),
    "gentle": ("gentle", "soft", "warm", "温柔", "柔和", "温暖"),
    "bright": ("bright", "clear", "lively", "明亮", "清脆", "活泼", "知性"),
    "deep": ("deep", "low", "浑厚", "低沉", "深沉"),
    "hoarse": ("hoarse", "rough", "沙哑", "苍老"),
}
_AGE_WORDS = {
    "child": ("child", "kid", "儿童", "小孩", "童"),
    "young": ("young", "teen", "青年", "少年", "少女", "年轻"),
    "adult": ("adult", "middle", "成年", "中年"),
    "elder": ("elder", "old", "senior", "老"),
}


def _meant(word: str | None, meanings: Mapping[str, tuple[str, ...]]) -> str | None:
    key = search_key(word or "")
    return next((name for name, forms in meanings.items() if any(form in key for form in forms)), None)


def best_voice(
    voices: Sequence[Voice],
    *,
    use: str,
    gender: str | None,
    age_range: str | None,
    tone: str | None,
    language: str | None,
) -> Voice | None:
    """The catalog's voice nearest to a description: language first, then gender, age, use and tone. Ties go to the
    earlier entry. None where there are no voices."""
    age, sound = _meant(age_range, _AGE_WORDS), _meant(tone, _TONES)

    def distance(voice: Voice) -> int:
        far = 100 * (language is not None and voice.language != language)
        if gender is not None and voice.gender != gender:
            # A child's or an elder's voice of no gender serves either, where that age is asked for.
            far += 2 if voice.gender == "neutral" and age == voice.age_range else 16
        far += 8 * (age is not None and voice.age_range != age)
        far += 4 * (age is None and voice.age_range in {"child", "elder"})
        far += 3 * (voice.use != use)
        return far + 2 * (sound is not None and voice.tone != sound)

    return min(voices, key=distance, default=None)


def primary_language(tag: str) -> str:
    """``zh`` of ``zh-CN``."""
    return tag.strip().replace("_", "-").partition("-")[0].lower()


def is_duration(claimed_s: float, measured_s: float) -> bool:
    """Whether a claimed length is the true one, within a second or two hundredths."""
    return abs(claimed_s - measured_s) <= max(MUSIC_TOLERANCE_S, MUSIC_TOLERANCE_SHARE * measured_s)
