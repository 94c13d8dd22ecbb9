"""What is spoken in a clip, and the project's music."""

from control_plane.accounts.actor import Actor
from control_plane.artifacts import service as artifact_service
from control_plane.artifacts import tables as artifacts
from control_plane.assets import tables as assets
from control_plane.errors import InvalidParameter, NotFound
from control_plane.inputs.rules import derive_seed
from control_plane.materials import prompts
from control_plane.materials import tables as materials
from control_plane.projects import tables as projects
from control_plane.quota import service as quota
from control_plane.timeline import build, rules, tables
from control_plane.timeline.schemas import (
    Bgm,
    BgmRequest,
    ClipAudio,
    DialogueAudio,
    GenerateBgmRequest,
    GenerateBgmResponse,
    Narration,
    SpeechRequest,
    SpeechResponse,
)
from control_plane.work import Work
from models.specs import MusicSpec
from runtime.ids import new_id
from scheduler import queue
from scheduler.task import NewTask

MUSIC_REACTION = "timeline.music"
MAX_MUSIC_S = 120.0
"""Longer films loop it."""


async def clip_audio(work: Work, actor: Actor, clip_id: str) -> ClipAudio:
    clip, package, _ = await tables.load_clip(work.session, actor, clip_id)
    narration: Narration | None = None
    dialogue: list[DialogueAudio] = []
    characters = {
        row.data["name"]: row.id for row in await materials.elements_of(work.session, package.id, "character")
    }
    for line in await tables.lines_of(work.session, [clip.id]):
        voice = await build.voice_of(work, package, line)
        audio = line.artifact_id if line.status == "completed" else None
        if line.kind == "narration":
            narration = Narration(
                id=line.id,
                text_content=line.text,
                voice_id=voice.id,
                voice_name=voice.name,
                audio_url=audio,
                speech_speed=line.speed,
                volume=line.volume,
                emotion=line.emotion,
                generation_status=line.status,
                is_custom_audio=line.is_custom_audio,
                custom_audio_url=audio if line.is_custom_audio else None,
            )
        else:
            dialogue.append(
                DialogueAudio(
                    id=line.id,
                    character_id=characters.get(line.character_name or ""),
                    character_name=line.character_name,
                    text_content=line.text,
                    voice_id=voice.id,
                    voice_name=voice.name,
                    audio_url=audio,
                    generation_status=line.status,
                )
            )
    return ClipAudio(narration=narration, dialogue=dialogue or None)


async def update_narration(work: Work, actor: Actor, clip_id: str, request: SpeechRequest) -> SpeechResponse:
    """Change or add a clip's narration and have it spoken; an empty text removes it. Raises QuotaExceeded."""
    clip, package, project = await tables.load_clip(work.session, actor, clip_id)
    lines = await tables.lines_of(work.session, [clip.id])
    line = next((line for line in lines if line.kind == "narration"), None)
    if line is None:
        line = tables.SpeechLineRow(
            id=new_id("aud"), clip_id=clip.id, position=0, kind="narration", text="", revision=0, speed=1.0
        )
        work.session.add(line)
        await work.session.flush()
    return await _update_line(work, actor, project, package, line, request)


async def update_dialogue(
    work: Work, actor: Actor, clip_id: str, line_id: str, request: SpeechRequest
) -> SpeechResponse:
    clip, package, project = await tables.load_clip(work.session, actor, clip_id)
    line = await tables.line_by_id(work.session, line_id)
    if line is None or line.clip_id != clip.id or line.kind != "dialogue":
        raise NotFound("对话不存在", "no such dialogue line", field="dialogue_id")
    return await _update_line(work, actor, project, package, line, request)


async def _update_line(
    work: Work,
    actor: Actor,
    project: projects.ProjectRow,
    package: materials.PackageRow,
    line: tables.SpeechLineRow,
    request: SpeechRequest,
) -> SpeechResponse:
    if request.voice_id is not None:
        if await assets.visible_asset(work.session, actor, "voice", request.voice_id) is None:
            raise InvalidParameter("没有此音色", "no such voice", field="voice_id")
        line.voice_asset_id = request.voice_id
    if request.text_content and not rules.is_speakable(request.text_content):
        raise InvalidParameter("没有可朗读的内容", "there is nothing to speak", field="text_content")
    line.text = request.text_content
    line.speed = request.speech_speed if request.speech_speed is not None else line.speed
    line.volume = request.volume if request.volume is not None else line.volume
    line.emotion = request.emotion.value if request.emotion is not None else line.emotion
    await work.session.flush()
    if line.text:
        await build.speak(work, project, package, [line])
    else:
        line.revision += 1
        line.status, line.artifact_id, line.duration_s, line.words = "completed", None, None, []
        line.is_custom_audio = False
        await work.session.flush()
    await build.edited(work, project)
    estimate = rules.estimate_speech_s(line.text, line.speed) if line.text else 0.0
    return SpeechResponse(estimated_duration=estimate, generation_status="pending")


async def bgm(work: Work, actor: Actor, project_id: str) -> Bgm:
    project = await projects.load_project(work.session, actor, project_id)
    return _show_bgm(await tables.bgm_of(work.session, project.id))


def _show_bgm(row: tables.BgmRow | None) -> Bgm:
    if row is None:
        return Bgm(volume=0.5, is_loop=True, fade_in_duration=0.0, fade_out_duration=0.0, is_selected=False)
    return Bgm(
        id=row.project_id.replace("prj_", "bgm_"),
        audio_url=row.artifact_id,
        music_name=row.music_name,
        source=row.source,
        volume=row.volume,
        is_loop=row.is_loop,
        fade_in_duration=row.fade_in_s,
        fade_out_duration=row.fade_out_s,
        is_selected=row.artifact_id is not None,
    )


async def update_bgm(work: Work, actor: Actor, project_id: str, request: BgmRequest) -> None:
    """Choose the music and how it sounds; what is not given stays."""
    project = await projects.load_project(work.session, actor, project_id)
    row = await tables.bgm_of(work.session, project.id)
    if row is None:
        row = tables.BgmRow(project_id=project.id, volume=0.5, is_loop=True, fade_in_s=0.0, fade_out_s=0.0)
        work.session.add(row)
    if request.audio_url is not None:
        row.artifact_id = await _music_artifact(work, actor, project, request.audio_url)
    if request.source is not None and row.artifact_id is None:
        raise InvalidParameter("选择音乐时必填", "required to choose music", field="audio_url")
    for field, value in (
        ("music_name", request.music_name),
        ("source", request.source),
        ("volume", request.volume),
        ("is_loop", request.is_loop),
        ("fade_in_s", request.fade_in_duration),
        ("fade_out_s", request.fade_out_duration),
    ):
        if value is not None:
            setattr(row, field, value)
    await work.session.flush()
    await build.edited(work, project)


async def _music_artifact(work: Work, actor: Actor, project: projects.ProjectRow, url: str) -> str:
    """A candidate may be chosen before it is finished: an export waits for it."""
    artifact_id = work.services.signer.artifact_id_of(url)
    candidate = await tables.bgm_candidate_by_artifact(work.session, artifact_id) if artifact_id else None
    if candidate is not None and candidate.project_id == project.id and candidate.status != "failed":
        return candidate.artifact_id
    row = await artifact_service.readable(work, actor, url, field="audio_url", media="audio")
    return row.id


async def generate_bgm(work: Work, actor: Actor, project_id: str, request: GenerateBgmRequest) -> GenerateBgmResponse:
    """Compose music that fits the film's mood and length, as a candidate. Raises QuotaExceeded."""
    project = await projects.load_project(work.session, actor, project_id)
    package = await materials.active_package(work.session, project.id)
    if package is None:
        raise NotFound("还没有素材包", "there is no material package yet", field="project_id")
    clips = await tables.clips_of(work.session, package.id)
    lines = await tables.lines_of(work.session, [clip.id for clip in clips])
    placed = await build.timings(work.session, clips, lines)
    storyline = (await prompts.load_parts(work.session, package)).storyline
    prompt = request.prompt or (f"{storyline.tone} {storyline.summary}" if storyline else "")
    spec = MusicSpec(
        prompt=prompt,
        mood=storyline.tone if storyline and not request.prompt else "",
        genre=storyline.genre if storyline and not request.prompt else "",
        duration_s=min(MAX_MUSIC_S, max(5.0, rules.total_duration(placed))),
        seed=derive_seed(package.source["seed"], "music", prompt),
    )
    artifact_id = await artifacts.promise(work.session, project.tenant_id, "music")
    candidate = tables.BgmCandidateRow(
        id=new_id("mus"), project_id=project.id, artifact_id=artifact_id, prompt=prompt, status="processing"
    )
    work.session.add(candidate)
    await work.session.flush()
    job_id = await queue.create_job(work.session, kind="music", project_id=project.id, tenant_id=project.tenant_id)
    task = NewTask(
        kind="music",
        spec=spec,
        model=work.services.catalog.default_for("music").id,
        job_id=job_id,
        project_id=project.id,
        tenant_id=project.tenant_id,
        reaction=MUSIC_REACTION,
        label="music",
        context={"candidate_id": candidate.id},
        priority=5,
    )
    await quota.enqueue_paid(work, [task])
    return GenerateBgmResponse(
        candidate_id=candidate.id,
        audio_url=artifact_id,
        quota_consumed=quota.price(work, [task]),
        status="processing",
    )
