"""A shot's text changed: its clip and what is spoken in it follow, as far as they were not set by hand."""

from collections.abc import Sequence
from difflib import SequenceMatcher

from control_plane.timeline import build, rules, tables
from control_plane.work import Work
from models.specs import Shot

Change = tuple[tables.ClipRow, Shot, Shot]
"""A clip with its shot before and after."""


async def revise_clips(work: Work, changes: Sequence[Change], *, keep_edits: bool) -> list[tables.SpeechLineRow]:
    """Apply what changed of each shot to its clip; returns the lines that are to be spoken again. ``keep_edits``: what
    the user set in the timeline stays, else the shot's new text counts."""
    lines: dict[str, list[tables.SpeechLineRow]] = {}
    for line in await tables.lines_of(work.session, [clip.id for clip, _, _ in changes]):
        lines.setdefault(line.clip_id, []).append(line)
    changed: list[tables.SpeechLineRow] = []
    for clip, before, after in changes:
        _revise_picture(clip, before, after, keep_edits=keep_edits)
        own = lines.get(clip.id, [])
        changed += await _revise_narration(work, clip, own, before, after, keep_edits=keep_edits)
        changed += await _revise_dialogue(work, clip, own, before, after, keep_edits=keep_edits)
    await work.session.flush()
    return changed


def _revise_picture(clip: tables.ClipRow, before: Shot, after: Shot, *, keep_edits: bool) -> None:
    had = clip.planned_s - before.duration_s  # what was added for the overlap with the next clip
    moved = after.duration_s != before.duration_s
    if after.camera_movement != before.camera_movement and (
        not keep_edits or clip.camera_movement == before.camera_movement.value
    ):
        clip.camera_movement = after.camera_movement.value
    if after.transition != before.transition and (not keep_edits or clip.transition == before.transition.value):
        clip.transition = after.transition.value
        clip.transition_s = rules.DEFAULT_TRANSITION_S[after.transition]
        is_last = had <= 0 and rules.DEFAULT_TRANSITION_S[before.transition] > 0
        had, moved = 0.0 if is_last else clip.transition_s, True
    if moved:
        clip.planned_s = max(rules.MIN_CLIP_S, after.duration_s + had)
    if after.duration_s != before.duration_s and not keep_edits:
        clip.user_duration_s = None


async def _revise_narration(
    work: Work,
    clip: tables.ClipRow,
    lines: Sequence[tables.SpeechLineRow],
    before: Shot,
    after: Shot,
    *,
    keep_edits: bool,
) -> list[tables.SpeechLineRow]:
    line = next((line for line in lines if line.kind == "narration"), None)
    if after.narration == before.narration:
        return []
    was = before.narration if rules.is_speakable(before.narration) else ""
    if keep_edits and ((line.text if line else "") != was or (line is not None and line.is_custom_audio)):
        return []
    if not rules.is_speakable(after.narration):
        if line is not None:
            await work.session.delete(line)
        return []
    if line is None:
        line = build.new_line(clip, "narration", 0, None, after.narration)
        work.session.add(line)
    line.text, line.is_custom_audio = after.narration, False
    return [line]


async def _revise_dialogue(
    work: Work,
    clip: tables.ClipRow,
    lines: Sequence[tables.SpeechLineRow],
    before: Shot,
    after: Shot,
    *,
    keep_edits: bool,
) -> list[tables.SpeechLineRow]:
    was = [line for line in before.dialogue if rules.is_speakable(line.text)]
    wanted = [line for line in after.dialogue if rules.is_speakable(line.text)]
    if was == wanted:
        return []
    own = sorted((line for line in lines if line.kind == "dialogue"), key=lambda line: line.position)
    now = [(line.character_name, line.text) for line in own]
    if keep_edits and now != [(line.character, line.text) for line in was]:
        return []
    first = 1 if rules.is_speakable(after.narration) else 0
    felt = {(line.character, line.text): line.emotion for line in was}
    changed: list[tables.SpeechLineRow] = []
    matcher = SequenceMatcher(None, now, [(line.character, line.text) for line in wanted], autojunk=False)
    for operation, low, high, start, end in matcher.get_opcodes():
        for offset in range(max(high - low, end - start)):
            line = own[low + offset] if low + offset < high else None
            if start + offset >= end:
                if line is not None:
                    await work.session.delete(line)
                continue
            new = wanted[start + offset]
            position = first + start + offset
            if line is None:
                line = build.new_line(clip, "dialogue", position, new.character, new.text, new.emotion)
                work.session.add(line)
                changed.append(line)
                continue
            line.position = position
            feels_otherwise = felt.get((new.character, new.text), new.emotion) != new.emotion
            if operation != "equal" or feels_otherwise:
                line.character_name, line.text, line.emotion = new.character, new.text, new.emotion.value
                line.is_custom_audio = False
                changed.append(line)
    return changed
