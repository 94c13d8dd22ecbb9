"""Pure decisions of a generation: progress, references, voices, prompts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from models.catalog import Voice
from models.specs import Character, Framing, Scene, ScriptStep, Shot

STEPS = tuple(ScriptStep)

STEP_NAMES = {
    ScriptStep.STORYLINE: ("故事线", "正在构思故事线..."),
    ScriptStep.ARTSTYLE: ("美术风格", "正在确定美术风格..."),
    ScriptStep.CHARACTERS: ("角色", "正在生成角色形象..."),
    ScriptStep.SCENES: ("场景", "正在生成场景..."),
    ScriptStep.STORYBOARD: ("分镜", "正在绘制分镜与配音..."),
}

CHARACTER_FRAMINGS = (Framing.FRONT_VIEW, Framing.THREE_VIEW, Framing.DETAIL)

_CHARACTER_LABELS = ("角色", "人物", "主角", "主体", "character", "protagonist", "person")
_SCENE_LABELS = ("场景", "背景图", "地点", "scene", "place", "location", "background")


def step_progress(done: int, total: int, status: str) -> int:
    """Percent of one step; 100 only once it is over."""
    if status in {"completed", "skipped"}:
        return 100
    return min(99, 100 * done // total) if total else 0


def package_progress(steps: Iterable[int]) -> int:
    """Percent of a generation: its five steps count alike."""
    percents = list(steps)
    return sum(percents) // len(percents) if percents else 0


@dataclass
class References:
    """Store keys of the user's pictures, by what they are references of."""

    by_character: dict[str, list[str]] = field(default_factory=dict)
    by_scene: dict[str, list[str]] = field(default_factory=dict)
    general: list[str] = field(default_factory=list)


def assign_references(
    pictures: Sequence[tuple[str | None, str]], characters: Sequence[Character], scenes: Sequence[Scene]
) -> References:
    """Give each labelled picture (label, key) to the character or scene its label names; a label that only says
    "character" means the protagonist, one that only says "scene" every scene; the rest guides the whole film."""
    references = References()
    for label, key in pictures:
        words = (label or "").casefold()
        named_characters = [c.name for c in characters if c.name and c.name.casefold() in words]
        named_scenes = [s.name for s in scenes if s.name and s.name.casefold() in words]
        if not named_characters and not named_scenes:
            if any(word in words for word in _CHARACTER_LABELS):
                named_characters = [c.name for c in characters[:1]]
            elif any(word in words for word in _SCENE_LABELS):
                named_scenes = [s.name for s in scenes]
        for name in named_characters:
            references.by_character.setdefault(name, []).append(key)
        for name in named_scenes:
            references.by_scene.setdefault(name, []).append(key)
        if not named_characters and not named_scenes:
            references.general.append(key)
    return references


def narrator(voices: Sequence[Voice], language: str) -> Voice | None:
    own = [voice for voice in voices if voice.language == language] or list(voices)
    return next((voice for voice in own if voice.use == "narration"), own[0] if own else None)


def cast_voices(characters: Sequence[Character], voices: Sequence[Voice], language: str) -> list[Voice | None]:
    """A voice for each character: of its gender and age where there is one, and nobody else's while any is left."""
    pool = [voice for voice in voices if voice.language == language and voice.use == "dialogue"]
    taken: set[str] = set()
    cast: list[Voice | None] = []
    for character in characters:

        def fit(voice: Voice, character: Character = character) -> tuple[int, int, int]:
            special = voice.age_range in {"child", "elder"} or character.age in {"child", "elder"}
            return (
                voice.id in taken,
                (voice.age_range != character.age) * (4 if special else 1)
                + (voice.gender not in {character.gender, "neutral"}) * (3 if character.gender != "other" else 0),
                pool.index(voice),
            )

        best = min(pool, key=fit, default=None)
        if best is not None:
            taken.add(best.id)
        cast.append(best)
    return cast


def shot_prompt(shot: Shot, scene: Scene | None) -> str:
    """What is seen in a shot, in words, for any engine."""
    parts = [scene.name if scene else "", shot.description, shot.action]
    seen: list[str] = []
    for part in (part.strip() for part in parts):
        if part and not any(part in other for other in seen):
            seen.append(part)
    return ". ".join(seen)


def with_wish(prompt: str, wish: str) -> str:
    """A prompt with what the user asked to change; later words weigh more."""
    return f"{prompt}. {wish}" if wish else prompt


def motion_prompt(prompt: str, names: Sequence[str]) -> str:
    """A prompt for moving a picture that exists: who is in it can be seen, and a name would only mislead (晓雨 is a
    girl, not rain)."""
    for name in sorted(names, key=len, reverse=True):
        prompt = prompt.replace(name, "")
    return " ".join(prompt.split())
