"""Making a timeline from a storyboard, and having its lines spoken."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from control_plane.artifacts import tables as artifacts
from control_plane.assets import tables as assets
from control_plane.inputs.rules import derive_seed, detect_language
from control_plane.materials import tables as materials
from control_plane.projects import tables as projects
from control_plane.projects.rules import STAGE_OF, Status, status_when_ready
from control_plane.quota import service as quota
from control_plane.timeline import rules, tables
from control_plane.timeline.rules import ClipTiming, PlacedClip
from control_plane.work import Work
from models.specs import Emotion, Framing, Shot, SpeechSpec, Transition
from runtime.database import utc_now
from runtime.ids import new_id
from scheduler import queue
from scheduler.task import NewTask

SPEECH_REACTION = "timeline.speech"
SPEECH_PRIORITY = 5
"""Before pictures: a line takes a moment, and clip lengths wait for it."""


async def create_clips(
    work: Work,
    package: materials.PackageRow,
    elements: Sequence[materials.ElementRow],
    shots: Sequence[Shot],
    fresh: Sequence[int],
) -> list[tables.SpeechLineRow]:
    """Clips for those shots of the storyboard that have none yet, each behind the clip of the shot before it; returns
    their lines. The part of a clip that overlaps the next is added to its plan, so that the film is as long as the
    storyboard."""
    order = await tables.clips_of(work.session, package.id)
    place = {element.id: number for number, element in enumerate(elements)}
    lines: list[tables.SpeechLineRow] = []
    for number in fresh:
        element, shot = elements[number], shots[number]
        transition_s = rules.DEFAULT_TRANSITION_S[shot.transition]
        is_last = number + 1 == len(shots)
        clip = tables.ClipRow(
            id=new_id("clp"),
            package_id=package.id,
            element_id=element.id,
            shot_number=shot.shot_number,
            planned_s=shot.duration_s + (0.0 if is_last else transition_s),
            camera_movement=shot.camera_movement.value,
            transition=shot.transition.value,
            transition_s=transition_s,
        )
        earlier = [index for index, other in enumerate(order) if place[other.element_id] < number]
        order.insert(1 + max(earlier, key=lambda index: place[order[index].element_id], default=-1), clip)
        work.session.add(clip)
        if rules.is_speakable(shot.narration):
            lines.append(new_line(clip, "narration", 0, None, shot.narration))
        first = len([line for line in lines if line.clip_id == clip.id])
        spoken = [line for line in shot.dialogue if rules.is_speakable(line.text)]
        for position, line in enumerate(spoken, start=first):
            lines.append(new_line(clip, "dialogue", position, line.character, line.text, line.emotion))
    for position, clip in enumerate(order):
        clip.position, clip.shot_number = position, position + 1
    await work.session.flush()
    work.session.add_all(lines)
    await work.session.flush()
    return lines


def new_line(
    clip: tables.ClipRow,
    kind: str,
    position: int,
    character: str | None,
    text: str,
    emotion: Emotion = Emotion.NEUTRAL,
) -> tables.SpeechLineRow:
    return tables.SpeechLineRow(
        id=new_id("aud"),
        clip_id=clip.id,
        position=position,
        kind=kind,
        character_name=character,
        text=text,
        emotion=emotion.value,
        revision=0,
        speed=1.0,
    )


class _Voices:
    """Which voice speaks a line, looked up once for a whole package."""

    def __init__(self, narrator: str, by_character: dict[str, str], rows: dict[str, assets.AssetRow]) -> None:
        self._narrator = narrator
        self._by_character = by_character
        self._rows = rows

    @classmethod
    async def load(cls, work: Work, package: materials.PackageRow, also: Sequence[str | None] = ()) -> "_Voices":
        characters = await materials.elements_of(work.session, package.id, "character")
        names = {row.id: row.data["name"] for row in characters}
        by_character = {
            names[voice.element_id]: voice.asset_id
            for voice in await materials.voices_of(work.session, list(names))
            if voice.is_selected
        }
        wanted = {package.narrator_voice_id, *by_character.values(), *(voice for voice in also if voice)}
        return cls(package.narrator_voice_id, by_character, await assets.assets_by_ids(work.session, wanted))

    def of(self, line: tables.SpeechLineRow) -> assets.AssetRow:
        inherited = self._narrator
        if line.kind == "dialogue" and line.character_name:
            inherited = self._by_character.get(line.character_name, self._narrator)
        return self._rows[line.voice_asset_id or inherited]


async def voice_of(work: Work, package: materials.PackageRow, line: tables.SpeechLineRow) -> assets.AssetRow:
    return (await _Voices.load(work, package, [line.voice_asset_id])).of(line)


async def speech_task(
    work: Work,
    project: projects.ProjectRow,
    package: materials.PackageRow,
    line: tables.SpeechLineRow,
    voices: _Voices,
    job_id: str,
    more: Mapping[str, object],
) -> NewTask:
    """The task that speaks a line as it is now; the line waits for it."""
    line.revision += 1
    voice = voices.of(line)
    line.artifact_id = await artifacts.promise(work.session, project.tenant_id, f"speech-{line.kind}")
    line.status, line.error_message = "processing", None
    line.duration_s, line.words = None, []
    line.is_custom_audio = False
    await work.session.flush()
    spec = SpeechSpec(
        text=line.text,
        language=detect_language(line.text),
        voice=voice.attributes["voice"],
        speed=line.speed,
        emotion=Emotion(line.emotion),
        seed=derive_seed(package.source["seed"], "speech", line.text),
    )
    context = {"line_id": line.id, "revision": line.revision, "package_id": package.id, **more}
    return NewTask(
        kind="speech",
        spec=spec,
        model=voice.attributes["model"],
        job_id=job_id,
        project_id=project.id,
        tenant_id=project.tenant_id,
        reaction=SPEECH_REACTION,
        label=f"{line.kind}: {line.text[:24]}",
        context=context,
        priority=SPEECH_PRIORITY,
    )


async def speech_tasks(
    work: Work,
    project: projects.ProjectRow,
    package: materials.PackageRow,
    lines: Sequence[tables.SpeechLineRow],
    job_id: str,
    more: Mapping[str, object] = MappingProxyType({}),
) -> list[NewTask]:
    """The tasks that speak lines as they are now; ``more`` is added to what their reaction is told."""
    voices = await _Voices.load(work, package, [line.voice_asset_id for line in lines])
    return [await speech_task(work, project, package, line, voices, job_id, more) for line in lines]


async def speak(
    work: Work,
    project: projects.ProjectRow,
    package: materials.PackageRow,
    lines: Sequence[tables.SpeechLineRow],
) -> None:
    """Have lines spoken again as they are now, as a job of its own. Raises QuotaExceeded."""
    if not lines:
        return
    job_id = await queue.create_job(work.session, kind="speech", project_id=project.id, tenant_id=project.tenant_id)
    await quota.enqueue_paid(work, await speech_tasks(work, project, package, lines, job_id))


async def respeak(
    work: Work, project: projects.ProjectRow, package: materials.PackageRow, *, character: str | None
) -> None:
    """Speak again what inherits the voice of a character, or the narrator's for None."""
    clips = await tables.clips_of(work.session, package.id)
    lines = [
        line
        for line in await tables.lines_of(work.session, [clip.id for clip in clips])
        if line.voice_asset_id is None
        and line.text
        and not line.is_custom_audio
        and (line.kind == "narration" if character is None else line.character_name == character)
    ]
    await speak(work, project, package, lines)
    await edited(work, project)


async def use_attached_music(work: Work, project: projects.ProjectRow, package: materials.PackageRow) -> None:
    """Audio attached to the input becomes the music where the project has none yet, or has what was attached for an
    earlier package: what the user chose stays, and so does silence."""
    artifact_id = package.source.get("audio")
    if artifact_id is None:
        return
    row = await tables.bgm_of(work.session, project.id)
    if row is None:
        row = tables.BgmRow(project_id=project.id)
        work.session.add(row)
    else:
        earlier = [other for other in await materials.packages_of(work.session, project.id) if other is not package]
        attached = {other.source.get("audio") for other in earlier if other.version < package.version}
        if row.artifact_id is None or row.artifact_id not in attached or package.generated_at is not None:
            return
    sound = await artifacts.artifact(work.session, artifact_id)
    row.artifact_id, row.music_name, row.source = artifact_id, sound.file_name if sound else None, "uploaded"
    await work.session.flush()


async def show_picture(session: AsyncSession, image: materials.ImageRow) -> None:
    """A shot that was painted anew shows that picture: videos of the former one stay candidates."""
    if image.is_selected and image.image_type == Framing.SHOT:
        await session.execute(
            update(tables.ClipRow).where(tables.ClipRow.element_id == image.element_id).values(selected_video_id=None)
        )


async def timings(
    session: AsyncSession, clips: Sequence[tables.ClipRow], lines: Sequence[tables.SpeechLineRow]
) -> list[PlacedClip]:
    """Where everything stands in time. A line that is still being spoken counts with its estimate."""
    by_clip = lines_by_clip(lines)
    return rules.place(
        [
            ClipTiming(
                planned_s=clip.planned_s,
                user_duration_s=clip.user_duration_s,
                transition=Transition(clip.transition),
                transition_s=clip.transition_s,
                speech_s=[line_duration(line) for line in by_clip.get(clip.id, [])],
            )
            for clip in clips
        ]
    )


def lines_by_clip(lines: Sequence[tables.SpeechLineRow]) -> dict[str, list[tables.SpeechLineRow]]:
    """What is spoken in each clip, in order: the narration first, then the dialogue."""
    by_clip: dict[str, list[tables.SpeechLineRow]] = {}
    for line in sorted(lines, key=lambda line: (line.kind == "dialogue", line.position)):
        if not line.is_removed:
            by_clip.setdefault(line.clip_id, []).append(line)
    return by_clip


def line_duration(line: tables.SpeechLineRow) -> float:
    return line.duration_s if line.duration_s is not None else rules.estimate_speech_s(line.text, line.speed)


async def edited(work: Work, project: projects.ProjectRow) -> None:
    """The film changed: a finished project is being edited again, and may at once be complete."""
    project.edit_count += 1
    if project.status in {Status.COMPLETED, Status.EXPORTED}:
        project.status, project.stage = Status.EDITING, STAGE_OF[Status.EDITING]
    await settle_status(work, project)


async def settle_status(work: Work, project: projects.ProjectRow) -> None:
    """Keep the project's figures, and move an edited project to completed once every clip has its picture or video
    and finished audio."""
    package = await materials.active_package(work.session, project.id)
    if package is None:
        return
    clips = await tables.clips_of(work.session, package.id)
    lines = await tables.lines_of(work.session, [clip.id for clip in clips])
    placed = await timings(work.session, clips, lines)
    project.total_duration_s = round(rules.total_duration(placed), 3)
    project.video_count = sum(clip.selected_video_id is not None for clip in clips)
    if project.status != Status.EDITING:
        await work.session.flush()
        return
    pictures = {
        image.element_id
        for image in await materials.images_of(work.session, [clip.element_id for clip in clips])
        if image.is_selected and image.status == "completed" and image.image_type == Framing.SHOT
    }
    ready = bool(clips) and all(clip.selected_video_id or clip.element_id in pictures for clip in clips)
    ready = ready and all(line.status == "completed" for line in lines)
    status = status_when_ready(every_clip_ready=ready, was=Status(project.status))
    if status != project.status:
        project.status, project.stage = status, STAGE_OF[status]
        project.completed_at = utc_now()
    await work.session.flush()
