"""The elements that a step's script makes, and what becomes of those that are there already when it is run again.

The same thing is known again (a person or place by the name the script gave it, a shot by what is told in it) and keeps
its id, its pictures as candidates and its former text; what the script no longer has goes.
"""

from collections.abc import Mapping

from pydantic import BaseModel

from control_plane.materials import prompts, tables, texts
from control_plane.materials.rules import CHARACTER_FRAMINGS, cast_voices, match_shots, merge_shot
from control_plane.projects import tables as projects
from control_plane.timeline import build, revise
from control_plane.timeline import tables as timeline
from control_plane.work import Work
from models.specs import Character, Framing, ImageSpec, Scene, ScriptResult, ScriptStep, Shot
from runtime.ids import new_id

KINDS = {
    ScriptStep.STORYLINE: "storyline",
    ScriptStep.ARTSTYLE: "artstyle",
    ScriptStep.CHARACTERS: "character",
    ScriptStep.SCENES: "scene",
    ScriptStep.STORYBOARD: "storyboard",
}


def parts_of(step: ScriptStep, result: ScriptResult) -> list[BaseModel]:
    """What the script of a step made. Raises ValueError where it made nothing and the film needs it."""
    by_step: dict[ScriptStep, list[BaseModel | None]] = {
        ScriptStep.STORYLINE: [result.storyline],
        ScriptStep.ARTSTYLE: [result.art_style],
        ScriptStep.CHARACTERS: [*result.characters],
        ScriptStep.SCENES: [*result.scenes],
        ScriptStep.STORYBOARD: [*result.shots],
    }
    made = [part for part in by_step[step] if part is not None]
    if len(made) != len(by_step[step]) or (step is ScriptStep.STORYBOARD and not made):
        raise ValueError(f"the script model returned no {step.value}")
    return made


async def keep(
    work: Work, package: tables.PackageRow, step: ScriptStep, result: ScriptResult
) -> list[tables.ElementRow]:
    """The elements of a step other than the storyboard, in the order of its script."""
    before = {_name(row): row for row in await tables.elements_of(work.session, package.id, KINDS[step])}
    kept: list[tables.ElementRow] = []
    added: list[tables.ElementRow] = []
    for position, part in enumerate(parts_of(step, result)):
        data = part.model_dump(mode="json")
        row = before.pop(data.get("name", ""), None)
        if row is None:
            row = new_element(package, KINDS[step], position, data)
            work.session.add(row)
            added.append(row)
        else:
            row.position, row.origin = position, data
            await texts.replace(work.session, row, data)
        kept.append(row)
    for row in before.values():
        await work.session.delete(row)
    await work.session.flush()
    if step is ScriptStep.CHARACTERS:
        await _give_voices(work, package, kept, added)
    return kept


def new_element(package: tables.PackageRow, kind: str, position: int, data: dict[str, object]) -> tables.ElementRow:
    return tables.ElementRow(
        id=new_id("elm"), package_id=package.id, kind=kind, position=position, data=data, origin=data
    )


def _name(row: tables.ElementRow) -> str:
    return str(row.origin.get("name", ""))


async def _give_voices(
    work: Work, package: tables.PackageRow, cast: list[tables.ElementRow], added: list[tables.ElementRow]
) -> None:
    """A voice for everybody who is new; who was there keeps the one they have."""
    speaker = work.services.catalog.first_for("speech")
    voices = speaker.voice if speaker is not None else ()
    chosen = cast_voices([Character.model_validate(row.data) for row in cast], voices, package.source["language"])
    for element, voice in zip(cast, chosen, strict=True):
        if voice is not None and element in added:
            work.session.add(
                tables.CharacterVoiceRow(
                    id=new_id("cvo"), element_id=element.id, asset_id=f"voice_{voice.id}", is_selected=True
                )
            )
    await work.session.flush()


async def keep_shots(
    work: Work, project: projects.ProjectRow, package: tables.PackageRow, shots: list[Shot]
) -> tuple[list[tables.ElementRow], list[timeline.SpeechLineRow]]:
    """The elements of the storyboard with their clips, and the lines that are to be spoken. Shots that survive keep
    what the user made of them and of their clips; clips that the user took out stay out."""
    parts_of(ScriptStep.STORYBOARD, ScriptResult(shots=shots))
    before = await tables.elements_of(work.session, package.id, "storyboard")
    survivors = match_shots([Shot.model_validate(row.origin) for row in before], shots)
    clips = {clip.element_id: clip for clip in await timeline.clips_of(work.session, package.id)}
    kept: list[tables.ElementRow] = []
    changes: list[tuple[timeline.ClipRow, Shot, Shot]] = []
    for position, shot in enumerate(shots):
        data = shot.model_dump(mode="json")
        if position not in survivors:
            row = new_element(package, "storyboard", position, data)
            work.session.add(row)
        else:
            row = before[survivors[position]]
            was = Shot.model_validate(row.data)
            merged = merge_shot(was, Shot.model_validate(row.origin), shot)
            row.position, row.origin = position, data
            await texts.replace(work.session, row, merged.model_dump(mode="json"))
            if row.id in clips:
                changes.append((clips[row.id], was, merged))
        kept.append(row)
    surviving = {row.id for row in kept}
    for row in before:
        if row.id not in surviving:
            await work.session.delete(row)
    await work.session.flush()
    lines = await revise.revise_clips(work, changes, keep_edits=True)
    fresh = [position for position in range(len(shots)) if position not in survivors]
    lines += await build.create_clips(work, package, kept, shots, fresh)
    # What was being spoken when the storyboard was stopped is spoken now.
    clip_ids = [clip.id for clip, _, _ in changes]
    silent = [line for line in await timeline.lines_of(work.session, clip_ids) if line.status != "completed"]
    known = {line.id for line in lines}
    return kept, lines + [line for line in silent if line.id not in known]


def pictures_of(
    parts: prompts.Parts, step: ScriptStep, found: list[tables.ElementRow], wishes: Mapping[tuple[str, str], str]
) -> list[tuple[tables.ElementRow, Framing, ImageSpec]]:
    """The pictures that a step asks for of its elements; ``wishes`` of shots by element and type of picture."""
    if step is ScriptStep.ARTSTYLE:
        return [(row, Framing.STYLE, prompts.style_board(parts)) for row in found]
    if step is ScriptStep.CHARACTERS:
        return [
            (row, framing, prompts.character_sheet(parts, Character.model_validate(row.data), framing))
            for row in found
            for framing in CHARACTER_FRAMINGS
        ]
    if step is ScriptStep.SCENES:
        return [(row, Framing.SCENE, prompts.scene_picture(parts, Scene.model_validate(row.data))) for row in found]
    if step is ScriptStep.STORYBOARD:
        return [
            (
                row,
                Framing.SHOT,
                prompts.shot_picture(
                    parts, Shot.model_validate(row.data), wish=wishes.get((row.id, Framing.SHOT.value), "")
                ),
            )
            for row in found
        ]
    return []
