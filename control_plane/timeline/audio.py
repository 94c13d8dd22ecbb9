"""What is spoken in a clip."""

from control_plane.accounts.actor import Actor
from control_plane.artifacts import service as artifact_service
from control_plane.artifacts.sound import sound_length_s
from control_plane.assets import tables as assets
from control_plane.errors import InvalidParameter, NotFound
from control_plane.exports import waiting
from control_plane.materials import tables as materials
from control_plane.projects import conversations
from control_plane.projects import tables as projects
from control_plane.timeline import build, rules, tables
from control_plane.timeline.schemas import (
    ClipAudio,
    CustomAudioRequest,
    DialogueAudio,
    DialogueDetail,
    Narration,
    SpeechRequest,
    SpeechResponse,
)
from control_plane.work import Work
from runtime.ids import new_id
from scheduler import queue


async def clip_audio(work: Work, actor: Actor, clip_id: str) -> ClipAudio:
    clip, package, _ = await tables.load_clip(work.session, actor, clip_id)
    spoken = _Spoken(work, package, await tables.lines_of(work.session, [clip.id]))
    narration = spoken.narration_line()
    dialogue = [await spoken.dialogue(line) for line in spoken.lines if line.kind == "dialogue"]
    return ClipAudio(
        narration=await spoken.narration(narration) if narration is not None else None, dialogue=dialogue or None
    )


async def narration(work: Work, actor: Actor, clip_id: str) -> Narration:
    """Raises NotFound for a clip without narration."""
    clip, package, _ = await tables.load_clip(work.session, actor, clip_id)
    spoken = _Spoken(work, package, await tables.lines_of(work.session, [clip.id]))
    line = spoken.narration_line()
    if line is None:
        raise NotFound("片段没有旁白", "the clip has no narration", field="narration")
    return await spoken.narration(line)


async def dialogue(work: Work, actor: Actor, clip_id: str, line_id: str) -> DialogueDetail:
    clip, package, _ = await tables.load_clip(work.session, actor, clip_id)
    line = await _dialogue_line(work, clip, line_id)
    if line.is_removed:
        raise NotFound("对话不存在", "no such dialogue line", field="dialogue_id")
    shown = await _Spoken(work, package, [line]).dialogue(line)
    return DialogueDetail(**shown.model_dump(), speech_speed=line.speed, volume=line.volume, emotion=line.emotion)


class _Spoken:
    """The lines of a clip as a client sees them: without those that were removed."""

    def __init__(self, work: Work, package: materials.PackageRow, lines: list[tables.SpeechLineRow]) -> None:
        self._work = work
        self._package = package
        self.lines = [line for line in lines if not line.is_removed]

    def narration_line(self) -> tables.SpeechLineRow | None:
        return next((line for line in self.lines if line.kind == "narration"), None)

    async def narration(self, line: tables.SpeechLineRow) -> Narration:
        voice = await build.voice_of(self._work, self._package, line)
        audio = line.artifact_id if line.status == "completed" else None
        return Narration(
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

    async def dialogue(self, line: tables.SpeechLineRow) -> DialogueAudio:
        characters = await materials.elements_of(self._work.session, self._package.id, "character")
        voice = await build.voice_of(self._work, self._package, line)
        return DialogueAudio(
            id=line.id,
            character_id=next((row.id for row in characters if row.data["name"] == line.character_name), None),
            character_name=line.character_name,
            text_content=line.text,
            voice_id=voice.id,
            voice_name=voice.name,
            audio_url=line.artifact_id if line.status == "completed" else None,
            generation_status=line.status,
        )


async def update_narration(work: Work, actor: Actor, clip_id: str, request: SpeechRequest) -> SpeechResponse:
    """Change or add a clip's narration and have it spoken; an empty text removes it. Raises QuotaExceeded."""
    clip, package, project = await tables.load_clip(work.session, actor, clip_id)
    line = await _narration_row(work, clip)
    return await _update_line(work, actor, project, package, clip, line, request)


async def update_dialogue(
    work: Work, actor: Actor, clip_id: str, line_id: str, request: SpeechRequest
) -> SpeechResponse:
    clip, package, project = await tables.load_clip(work.session, actor, clip_id)
    line = await _dialogue_line(work, clip, line_id)
    return await _update_line(work, actor, project, package, clip, line, request)


async def _narration_row(work: Work, clip: tables.ClipRow) -> tables.SpeechLineRow:
    """A clip's narration, made where there is none."""
    lines = await tables.lines_of(work.session, [clip.id])
    line = next((line for line in lines if line.kind == "narration"), None)
    if line is None:
        line = tables.SpeechLineRow(
            id=new_id("aud"), clip_id=clip.id, position=0, kind="narration", text="", revision=0, speed=1.0, volume=1.0
        )
        work.session.add(line)
        await work.session.flush()
    return line


async def _dialogue_line(work: Work, clip: tables.ClipRow, line_id: str) -> tables.SpeechLineRow:
    line = await tables.line_by_id(work.session, line_id)
    if line is None or line.clip_id != clip.id or line.kind != "dialogue":
        raise NotFound("对话不存在", "no such dialogue line", field="dialogue_id")
    return line


async def use_custom_audio(work: Work, actor: Actor, clip_id: str, request: CustomAudioRequest) -> None:
    """Let a sound of the user's own be the narration. Its text stays: subtitles show it, spread over the sound. What
    is being spoken instead is cancelled. Raises InvalidParameter for a sound that cannot be read or is too long."""
    project_id = await tables.project_of_clip(work.session, actor, clip_id)
    earlier = await tables.line_ids_of(work.session, clip_id, "narration")
    # Tasks before the project, as reactions lock them.
    await queue.cancel_tasks_about(work.session, project_id, "line_id", earlier)
    work.wakes_scheduler = True
    clip, _, project = await tables.load_clip(work.session, actor, clip_id)
    sound = await artifact_service.readable(work, actor, request.audio_url, field="audio_url", media="audio")
    length_s = await sound_length_s(work.services, sound, field="audio_url")
    if not rules.MIN_SPEECH_S <= length_s <= rules.MAX_CLIP_S:
        raise InvalidParameter(
            f"长度应为 {rules.MIN_SPEECH_S} 到 {rules.MAX_CLIP_S:g} 秒",
            f"must last {rules.MIN_SPEECH_S} to {rules.MAX_CLIP_S:g} s",
            field="audio_url",
        )
    line = await _narration_row(work, clip)
    line.revision += 1
    line.is_custom_audio, line.artifact_id, line.duration_s = True, sound.id, round(length_s, 3)
    line.status, line.error_message, line.words = "completed", None, []
    content = f"镜头 {clip.shot_number} 的旁白改用自己的声音"
    await conversations.asked(work, project.id, content, "custom_audio", clip_id=clip.id, audio_id=line.id)
    await build.edited(work, project)
    await waiting.start_waiting(work, project)


async def _update_line(
    work: Work,
    actor: Actor,
    project: projects.ProjectRow,
    package: materials.PackageRow,
    clip: tables.ClipRow,
    line: tables.SpeechLineRow,
    request: SpeechRequest,
) -> SpeechResponse:
    keeps_sound = (
        line.is_custom_audio
        and request.text_content == line.text
        and request.volume is not None
        and request.model_fields_set <= {"text_content", "volume"}
    )
    if request.voice_id is not None:
        if await assets.visible_asset(work.session, actor, "voice", request.voice_id) is None:
            raise NotFound("没有此音色", "no such voice", field="voice_id")
        if line.voice_asset_id != request.voice_id:
            await assets.count_use(work.session, request.voice_id)
        line.voice_asset_id = request.voice_id
    if request.text_content and not rules.is_speakable(request.text_content):
        raise InvalidParameter("没有可朗读的内容", "there is nothing to speak", field="text_content")
    line.text = request.text_content
    line.speed = request.speech_speed if request.speech_speed is not None else line.speed
    line.volume = request.volume if request.volume is not None else line.volume
    line.emotion = request.emotion.value if request.emotion is not None else line.emotion
    what = "旁白" if line.kind == "narration" else f"{line.character_name}的台词"
    content = f"镜头 {clip.shot_number} {what}：{line.text}" if line.text else f"删去镜头 {clip.shot_number} 的{what}"
    await conversations.asked(work, project.id, content, f"update_{line.kind}", clip_id=clip.id, audio_id=line.id)
    if keeps_sound:
        pass  # the user's own sound, at another volume
    elif line.text:
        await build.speak(work, project, package, [line])
    else:
        line.revision += 1
        line.status, line.artifact_id, line.duration_s, line.words = "completed", None, None, []
        line.is_custom_audio = False
        await work.session.flush()
    await build.edited(work, project)
    estimate = rules.estimate_speech_s(line.text, line.speed) if line.text else 0.0
    return SpeechResponse(estimated_duration=estimate, generation_status="pending")
