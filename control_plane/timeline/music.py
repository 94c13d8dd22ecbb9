"""The project's music: the user's own, from the library, or composed."""

from control_plane.accounts.actor import Actor
from control_plane.artifacts import service as artifact_service
from control_plane.artifacts import tables as artifacts
from control_plane.assets import tables as assets
from control_plane.errors import InvalidParameter, NotFound
from control_plane.exports import waiting
from control_plane.inputs.rules import derive_seed
from control_plane.materials import prompts
from control_plane.materials import tables as materials
from control_plane.projects import conversations
from control_plane.projects import tables as projects
from control_plane.quota import service as quota
from control_plane.timeline import build, rules, tables
from control_plane.timeline.schemas import Bgm, BgmRequest, GenerateBgmRequest, GenerateBgmResponse
from control_plane.work import Work
from models.specs import MusicSpec
from runtime.ids import new_id
from scheduler import queue
from scheduler.task import NewTask

MUSIC_REACTION = "timeline.music"
MAX_MUSIC_S = 120.0
"""Longer films loop it."""
_DEFAULTS = {"volume": 0.5, "is_loop": True, "fade_in_s": 0.0, "fade_out_s": 0.0}


async def bgm(work: Work, actor: Actor, project_id: str) -> Bgm:
    project = await projects.load_project(work.session, actor, project_id)
    row = await tables.bgm_of(work.session, project.id)
    if row is None:
        row = tables.BgmRow(project_id=project.id, **_DEFAULTS)
    return Bgm(
        id=row.project_id.replace("prj_", "bgm_") if row.artifact_id is not None else None,
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
    """Choose the music and how it sounds; what is not given stays. New music without a name has its own."""
    project = await projects.load_project(work.session, actor, project_id)
    row = await tables.bgm_of(work.session, project.id)
    if row is None:
        row = tables.BgmRow(project_id=project.id, **_DEFAULTS)
        work.session.add(row)
    if request.audio_url is not None:
        await _choose(work, actor, row, request.audio_url, request.source)
    elif request.source is not None and request.source != row.source:
        raise InvalidParameter("选择音乐时必填", "required to choose music", field="audio_url")
    for field, value in (
        ("music_name", request.music_name),
        ("volume", request.volume),
        ("is_loop", request.is_loop),
        ("fade_in_s", request.fade_in_duration),
        ("fade_out_s", request.fade_out_duration),
    ):
        if value is not None:
            setattr(row, field, value)
    changes = request.model_dump(exclude_none=True, exclude={"audio_url"})
    content = f"选用配乐“{row.music_name}”" if request.audio_url is not None else "调整配乐"
    await conversations.asked(work, project.id, content, "update_bgm", changes=changes)
    await build.edited(work, project)
    await waiting.start_waiting(work, project)


async def _choose(work: Work, actor: Actor, row: tables.BgmRow, url: str, source: str | None) -> None:
    """Take the music that a URL names. A candidate may be chosen before it is finished: an export waits for it.
    Raises InvalidParameter for what cannot be read here, or comes from elsewhere than ``source`` says."""
    artifact_id = work.services.signer.artifact_id_of(url)
    candidate = await tables.bgm_candidate_by_artifact(work.session, artifact_id) if artifact_id else None
    if candidate is not None and (candidate.project_id != row.project_id or candidate.status == "failed"):
        candidate = None
    sources: dict[str, str | None] = {}
    if candidate is not None:
        artifact_id, sources["ai_generated"] = candidate.artifact_id, None
    else:
        sound = await artifact_service.readable(work, actor, url, field="audio_url", media="audio")
        artifact_id = sound.id
    asset = await assets.music_of_artifact(work.session, actor, artifact_id)
    if asset is not None:
        sources["library"] = asset.name
    if candidate is None and (asset is None or not asset.is_preset):
        sources["uploaded"] = sound.file_name
    source = source or next(iter(sources))
    if source not in sources:
        zh, en = f"此音乐来自 {'、'.join(sources)}", f"this music is {' or '.join(sources)}"
        raise InvalidParameter(zh, en, field="source")
    if asset is not None and source == "library" and row.artifact_id != artifact_id:
        await assets.count_use(work.session, asset.id)
    row.artifact_id, row.source, row.music_name = artifact_id, source, sources[source]


async def remove_bgm(work: Work, actor: Actor, project_id: str) -> None:
    """No music, and its settings as at first. What was attached to the input does not come back by itself."""
    project = await projects.load_project(work.session, actor, project_id)
    row = await tables.bgm_of(work.session, project.id)
    if row is None:
        row = tables.BgmRow(project_id=project.id, **_DEFAULTS)
        work.session.add(row)
    for field, value in ({"artifact_id": None, "music_name": None, "source": None} | _DEFAULTS).items():
        setattr(row, field, value)
    await conversations.asked(work, project.id, "不要配乐", "remove_bgm")
    await build.edited(work, project)
    await waiting.start_waiting(work, project)


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
    content = "生成配乐" + (f"：{request.prompt}" if request.prompt else "")
    await conversations.asked(work, project.id, content, "generate_bgm", candidate_id=candidate.id)
    return GenerateBgmResponse(
        candidate_id=candidate.id,
        audio_url=artifact_id,
        quota_consumed=quota.price(work, [task]),
        status="processing",
    )
