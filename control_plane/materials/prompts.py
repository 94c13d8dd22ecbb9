"""From the rows of a package to the specs of the tasks that make its parts."""

from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from control_plane.artifacts import tables as artifacts
from control_plane.inputs.rules import ASPECT_RATIOS, BASE_SHORT_SIDE, derive_seed
from control_plane.materials import tables
from control_plane.materials.rules import References, assign_references, shot_prompt, with_wish
from models.specs import (
    ArtStyle,
    Character,
    Framing,
    ImageSpec,
    Place,
    Scene,
    ScriptSpec,
    ScriptStep,
    Shot,
    ShotType,
    Storyline,
    Subject,
)

_SHEET_ORDER = [Framing.FRONT_VIEW, Framing.THREE_VIEW, Framing.DETAIL, Framing.SCENE]
"""Which pictures of a character or scene tell most: a model that takes few references takes the first."""
_SHEET_SIZES = {Framing.FRONT_VIEW: (720, 960), Framing.THREE_VIEW: (1280, 720), Framing.DETAIL: (720, 720)}


@dataclass
class Parts:
    """What a package holds so far, as specs, with what the user wished of the selected pictures. ``roots`` are the
    names that characters and scenes were made with: their features follow from those, whatever they are called now, and
    from the take of their step that the selected picture ``shown`` is of."""

    source: dict[str, Any]
    storyline: Storyline | None
    style: ArtStyle
    characters: list[Character]
    scenes: list[Scene]
    character_wishes: dict[str, str]
    scene_wishes: dict[str, str]
    roots: dict[tuple[str, str], str]
    shown: dict[tuple[str, str], int]
    sheets: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """Store keys of the finished pictures of characters and scenes, for models that paint from them."""

    def made_anew(self, step: ScriptStep) -> "Parts":
        """For the pictures of a step whose script was just written: those before say nothing of these."""
        kind = {ScriptStep.CHARACTERS: "character", ScriptStep.SCENES: "scene"}.get(step)
        return replace(
            self,
            character_wishes={} if kind == "character" else self.character_wishes,
            scene_wishes={} if kind == "scene" else self.scene_wishes,
            shown={key: take for key, take in self.shown.items() if key[0] != kind},
        )

    def features(self, step: ScriptStep, kind: str, name: str) -> int:
        """The seed of what a character or a scene looks like, in every picture."""
        root = self.roots.get((kind, name), name)
        take = self.shown.get((kind, name), self.take_of(step))
        return derive_seed(self.seed, kind, root, *_another(take))

    def seed_of(self, step: ScriptStep, *names: object) -> int:
        """For one part of a step; another take of the step has others."""
        return derive_seed(self.seed, *names, *_another(self.take_of(step)))

    def take_of(self, step: ScriptStep) -> int:
        """How often the step was run again for another result."""
        return int(self.source.get("takes", {}).get(step, 0))

    def root(self, kind: str, name: str) -> str:
        return self.roots.get((kind, name), name)

    @property
    def seed(self) -> str:
        return str(self.source["seed"])

    @property
    def size(self) -> tuple[int, int]:
        """Of every picture that becomes part of the film."""
        return ASPECT_RATIOS[self.source["config"]["aspect_ratio"]].size(BASE_SHORT_SIDE)

    @property
    def references(self) -> References:
        return assign_references(self.source["pictures"], self.characters, self.scenes)


def _another(take: int) -> list[str]:
    return [f"take {take}"] if take else []


async def load_parts(session: AsyncSession, package: tables.PackageRow) -> Parts:
    elements = await tables.elements_of(session, package.id)
    by_kind: dict[str, list[tables.ElementRow]] = {}
    for element in elements:
        by_kind.setdefault(element.kind, []).append(element)
    shown = {
        image.element_id: image
        for image in await tables.images_of(session, [element.id for element in elements])
        if image.is_selected and image.image_type in {Framing.FRONT_VIEW, Framing.SCENE}
    }

    def named_wishes(kind: str) -> dict[str, str]:
        return {
            row.data["name"]: shown[row.id].wish
            for row in by_kind.get(kind, [])
            if row.id in shown and shown[row.id].wish
        }

    storylines = by_kind.get("storyline", [])
    styles = by_kind.get("artstyle", [])
    return Parts(
        source=package.source,
        storyline=Storyline.model_validate(storylines[0].data) if storylines else None,
        style=ArtStyle.model_validate(styles[0].data) if styles else ArtStyle(style_name=""),
        characters=[Character.model_validate(row.data) for row in by_kind.get("character", [])],
        scenes=[Scene.model_validate(row.data) for row in by_kind.get("scene", [])],
        character_wishes=named_wishes("character"),
        scene_wishes=named_wishes("scene"),
        roots={
            (kind, row.data["name"]): row.origin["name"]
            for kind in ("character", "scene")
            for row in by_kind.get(kind, [])
        },
        shown={
            (row.kind, row.data["name"]): shown[row.id].take
            for row in elements
            if row.id in shown and row.kind in {"character", "scene"}
        },
    )


async def with_sheets(session: AsyncSession, package: tables.PackageRow, parts: Parts) -> Parts:
    """The parts with the pictures that characters and scenes show now."""
    found = [row for row in await tables.elements_of(session, package.id) if row.kind in {"character", "scene"}]
    shown = [image for image in await tables.images_of(session, [row.id for row in found]) if image.is_selected]
    shown.sort(key=lambda image: _SHEET_ORDER.index(Framing(image.image_type)))
    keys = await artifacts.keys_of(session, [image.artifact_id for image in shown])
    sheets: dict[tuple[str, str], list[str]] = {}
    for row in found:
        own = [keys[image.artifact_id] for image in shown if image.element_id == row.id and image.artifact_id in keys]
        if own:
            sheets[row.kind, row.data["name"]] = own
    return replace(parts, sheets=sheets)


def script_spec(parts: Parts, step: ScriptStep) -> ScriptSpec:
    source = parts.source
    width, height = parts.size
    fixed_style, protagonist = source.get("fixed_style"), source.get("fixed_protagonist")
    return ScriptSpec(
        step=step,
        input_mode=source["input_mode"],
        input_type=source["input_type"],
        content=source["content"],
        documents=source["documents"],
        language=source["language"],
        target_duration_s=source["config"].get("duration_seconds"),
        aspect=width / height,
        seed=parts.seed_of(step, step),
        take=parts.take_of(step),
        fixed_style=ArtStyle.model_validate(fixed_style) if fixed_style else None,
        fixed_protagonist=Character.model_validate(protagonist) if protagonist else None,
        storyline=parts.storyline,
        art_style=parts.style if parts.style.style_name else None,
        characters=parts.characters,
        scenes=parts.scenes,
    )


def style_board(parts: Parts) -> ImageSpec:
    width, height = parts.size
    subject = parts.storyline.summary if parts.storyline else ""
    return ImageSpec(
        prompt=subject or parts.style.style_name,
        width=width,
        height=height,
        seed=parts.seed_of(ScriptStep.ARTSTYLE, "style"),
        framing=Framing.STYLE,
        shot_type=ShotType.WIDE,
        style=parts.style,
        reference_keys=parts.references.general,
    )


def character_sheet(
    parts: Parts, character: Character, framing: Framing, *, prompt: str = "", wish: str = "", take: int = 0
) -> ImageSpec:
    """One picture of a character. ``take`` numbers the tries, so that another try is another picture."""
    width, height = _SHEET_SIZES[framing]
    names = ["character", parts.root("character", character.name), framing.value] + ([take] if take else [])
    subject = _subject(parts, character)
    if prompt or wish:
        subject = subject.model_copy(update={"appearance": with_wish(prompt or subject.appearance, wish)})
    return ImageSpec(
        prompt=with_wish(prompt or character.description, wish),
        width=width,
        height=height,
        seed=parts.seed_of(ScriptStep.CHARACTERS, *names),
        framing=framing,
        style=parts.style,
        subjects=[subject],
        reference_keys=parts.references.general,
    )


def scene_picture(parts: Parts, scene: Scene, *, prompt: str = "", wish: str = "", take: int = 0) -> ImageSpec:
    width, height = parts.size
    names = ["scene", parts.root("scene", scene.name)] + ([take] if take else [])
    return ImageSpec(
        prompt=with_wish(prompt or f"{scene.name}. {scene.description}", wish),
        width=width,
        height=height,
        seed=parts.seed_of(ScriptStep.SCENES, *names),
        framing=Framing.SCENE,
        shot_type=ShotType.ESTABLISHING,
        style=parts.style,
        place=_place(parts, scene),
        reference_keys=parts.references.general,
    )


def shot_picture(parts: Parts, shot: Shot, *, prompt: str = "", wish: str = "", take: int = 0) -> ImageSpec:
    width, height = parts.size
    scene = next((scene for scene in parts.scenes if scene.name == shot.scene), None)
    names = ["shot", shot.shot_number] + ([take] if take else [])
    return ImageSpec(
        prompt=with_wish(prompt or shot_prompt(shot, scene), wish),
        width=width,
        height=height,
        seed=parts.seed_of(ScriptStep.STORYBOARD, *names),
        framing=Framing.SHOT,
        shot_type=shot.shot_type,
        style=parts.style,
        place=_place(parts, scene) if scene else None,
        subjects=[
            _subject(parts, character)
            for name in shot.characters
            for character in parts.characters
            if character.name == name
        ],
        reference_keys=parts.references.general,
    )


def _subject(parts: Parts, character: Character) -> Subject:
    return Subject(
        name=character.name,
        appearance=with_wish(character.appearance, parts.character_wishes.get(character.name, "")),
        gender=character.gender,
        age=character.age,
        seed=parts.features(ScriptStep.CHARACTERS, "character", character.name),
        reference_keys=[
            *parts.sheets.get(("character", character.name), []),
            *parts.references.by_character.get(character.name, []),
        ],
    )


def _place(parts: Parts, scene: Scene) -> Place:
    return Place(
        name=scene.name,
        scene_type=scene.scene_type,
        description=with_wish(scene.description, parts.scene_wishes.get(scene.name, "")),
        atmosphere=scene.atmosphere,
        lighting=scene.lighting,
        seed=parts.features(ScriptStep.SCENES, "scene", scene.name),
        reference_keys=[
            *parts.sheets.get(("scene", scene.name), []),
            *parts.references.by_scene.get(scene.name, []),
        ],
    )
