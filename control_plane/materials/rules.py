"""Pure decisions of a generation: progress, references, voices, prompts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

from models.catalog import Voice
from models.specs import Character, Framing, Scene, ScriptStep, Shot
from runtime.bilingual import both

STEPS = tuple(ScriptStep)


class StepName(NamedTuple):
    zh: str
    en: str
    doing: str
    """What a person reads meanwhile, in both languages."""


STEP_NAMES = {
    ScriptStep.STORYLINE: StepName("故事线", "Storyline", both("正在构思故事线...", "Thinking of the storyline...")),
    ScriptStep.ARTSTYLE: StepName("美术风格", "Art style", both("正在确定美术风格...", "Choosing the art style...")),
    ScriptStep.CHARACTERS: StepName("角色", "Characters", both("正在生成角色形象...", "Drawing the characters...")),
    ScriptStep.SCENES: StepName("场景", "Scenes", both("正在生成场景...", "Drawing the scenes...")),
    ScriptStep.STORYBOARD: StepName(
        "分镜", "Storyboard", both("正在绘制分镜与配音...", "Drawing and voicing the storyboard...")
    ),
}

Makes = Literal["script", "pictures"]

DEPENDENTS: dict[ScriptStep, dict[ScriptStep, Makes]] = {
    ScriptStep.STORYLINE: {
        ScriptStep.ARTSTYLE: "script",
        ScriptStep.CHARACTERS: "script",
        ScriptStep.SCENES: "script",
        ScriptStep.STORYBOARD: "script",
    },
    ScriptStep.ARTSTYLE: {
        ScriptStep.CHARACTERS: "pictures",
        ScriptStep.SCENES: "pictures",
        ScriptStep.STORYBOARD: "pictures",
    },
    ScriptStep.CHARACTERS: {ScriptStep.STORYBOARD: "script"},
    ScriptStep.SCENES: {ScriptStep.STORYBOARD: "script"},
    ScriptStep.STORYBOARD: {},
}
"""What of other steps depends on a step: everything, or only the pictures."""

CHARACTER_FRAMINGS = (Framing.FRONT_VIEW, Framing.THREE_VIEW, Framing.DETAIL)

_CHARACTER_LABELS = ("角色", "人物", "主角", "主体", "character", "protagonist", "person")
_SCENE_LABELS = ("场景", "背景图", "地点", "scene", "place", "location", "background")


def to_redo(step: ScriptStep, statuses: Mapping[ScriptStep, str]) -> dict[ScriptStep, Makes]:
    """What is to be done when a step is run again: that step, what depends on it, and what was not done yet. A step
    that was skipped stays so: its part was not made from the others."""
    redo: dict[ScriptStep, Makes] = {}
    for other, status in statuses.items():
        if other is step or status not in {"completed", "skipped"}:
            redo[other] = "script"
        elif status == "completed" and other in DEPENDENTS[step]:
            redo[other] = DEPENDENTS[step][other]
    return redo


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


_ALIKE = 0.6
"""Of two shots' texts: from here on they are the same shot, told a little differently."""


def match_shots(before: Sequence[Shot], after: Sequence[Shot]) -> dict[int, int]:
    """Which shots of a new storyboard were in the former one, new index to former, by what is told in them."""
    old, new = [_told(shot) for shot in before], [_told(shot) for shot in after]
    survivors: dict[int, int] = {}
    for operation, low, high, start, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if operation == "equal":
            survivors.update({start + offset: low + offset for offset in range(end - start)})
            continue
        free = low
        for index in range(start, end):
            for candidate in range(free, high):
                if SequenceMatcher(None, old[candidate], new[index], autojunk=False).ratio() >= _ALIKE:
                    survivors[index] = candidate
                    free = candidate + 1
                    break
    return survivors


def _told(shot: Shot) -> str:
    spoken = "\n".join([shot.narration, *(f"{line.character}: {line.text}" for line in shot.dialogue)]).strip()
    return spoken or f"{shot.action}\n{shot.description}"


def merge_shot(now: Shot, before: Shot, after: Shot) -> Shot:
    """A shot that survives: as the new script has it, except for what the user changed of the former one."""
    own = {
        name: getattr(now, name)
        for name in Shot.model_fields
        if name != "shot_number" and getattr(now, name) != getattr(before, name)
    }
    return after.model_copy(update=own)
