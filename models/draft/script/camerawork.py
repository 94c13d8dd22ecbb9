"""How a shot is taken: its size, the camera's move and the transition at its end, varied as a film is."""

from functools import lru_cache

from models.draft.lexicon import Entry, Vocabulary
from models.draft.script import moods
from models.draft.script.shots import Draft
from models.specs import CameraMovement, Emotion, ShotType, Transition

_INTIMATE = frozenset([Emotion.SAD, Emotion.ANGRY, Emotion.FEARFUL, Emotion.WHISPER])

# For each size the camera moves that suit it, tried in turn so that two neighbours differ.
_MOVES = {
    ShotType.ESTABLISHING: [CameraMovement.PAN_RIGHT, CameraMovement.PUSH_IN, CameraMovement.PULL_OUT],
    ShotType.WIDE: [CameraMovement.PAN_LEFT, CameraMovement.PUSH_IN, CameraMovement.PAN_RIGHT],
    ShotType.MEDIUM: [CameraMovement.PUSH_IN, CameraMovement.STATIC, CameraMovement.PAN_RIGHT],
    ShotType.CLOSE_UP: [CameraMovement.PUSH_IN, CameraMovement.STATIC],
    ShotType.EXTREME_CLOSE_UP: [CameraMovement.PUSH_IN, CameraMovement.TILT_UP],
    ShotType.OVER_SHOULDER: [CameraMovement.STATIC, CameraMovement.PUSH_IN],
}
_ALTERNATIVES = {
    ShotType.ESTABLISHING: ShotType.WIDE,
    ShotType.WIDE: ShotType.MEDIUM,
    ShotType.MEDIUM: ShotType.CLOSE_UP,
    ShotType.CLOSE_UP: ShotType.MEDIUM,
    ShotType.EXTREME_CLOSE_UP: ShotType.CLOSE_UP,
    ShotType.OVER_SHOULDER: ShotType.CLOSE_UP,
}
_REESTABLISH_AFTER = 4


@lru_cache(maxsize=1)
def _details() -> Vocabulary:
    """Small things worth looking at from close by."""
    return Vocabulary([Entry("detail", tuple(moods.data()["details"]))])


@lru_cache(maxsize=1)
def _motion() -> tuple[tuple[CameraMovement, Vocabulary], ...]:
    return tuple(
        (CameraMovement(table["camera"]), Vocabulary([Entry(table["camera"], (*table["zh"], *table["en"]))]))
        for table in moods.data()["motion"]
    )


@lru_cache(maxsize=4)
def spoken_of(section: str) -> Vocabulary:
    """``shot_type`` or ``camera``: the words by which a wish names a value of a shot; one-letter words and those
    that mean other things in a sentence are left to the storyboard's columns."""
    entries = []
    for value, words in moods.data()[section].items():
        entries.append(Entry(value, tuple(w for w in words if (len(w) > 4 if w.isascii() else len(w) > 1))))
    return Vocabulary(entries)


def alternative(shot_type: ShotType, camera: CameraMovement, take: int) -> tuple[ShotType, CameraMovement]:
    """Another size and another move for a shot; other ones again for another take."""
    sizes = [size for size in ShotType if size != shot_type]
    size = sizes[take % len(sizes)]
    moves = [move for move in _MOVES[size] if move != camera]
    return size, moves[take % len(moves)]


def direct(drafts: list[Draft], wish: str) -> None:
    """Decide everything about how the shots are taken that the author left open; a wish that names a size or a move
    decides it for all."""
    wished_type = spoken_of("shot_type").first(wish)
    wished_move = spoken_of("camera").first(wish)
    established: dict[str | None, int] = {}
    for index, draft in enumerate(drafts):
        before = drafts[index - 1] if index else None
        opens = before is None or before.scene != draft.scene
        if draft.shot_type is None:
            if wished_type:
                draft.shot_type = ShotType(wished_type.id)
            elif opens:
                long_ago = index - established.get(draft.scene, -_REESTABLISH_AFTER) >= _REESTABLISH_AFTER
                draft.shot_type = ShotType.ESTABLISHING if long_ago else ShotType.WIDE
            else:
                draft.shot_type = _size(draft, drafts[max(0, index - 2) : index])
        if draft.shot_type == ShotType.ESTABLISHING:
            established[draft.scene] = index
        if draft.camera is None:
            draft.camera = CameraMovement(wished_move.id) if wished_move else _move(draft, before, index)
    for index, draft in enumerate(drafts):
        if draft.transition is None:
            draft.transition = _transition(draft, drafts[index + 1] if index + 1 < len(drafts) else None)


def _size(draft: Draft, before: list[Draft]) -> ShotType:
    last = before[-1].shot_type
    if draft.lines:
        feeling = draft.lines[0].emotion
        if feeling in _INTIMATE:
            size = ShotType.CLOSE_UP
        elif len(draft.people) > 1:
            size = ShotType.OVER_SHOULDER if last != ShotType.OVER_SHOULDER else ShotType.MEDIUM
        else:
            size = ShotType.CLOSE_UP if last != ShotType.CLOSE_UP else ShotType.MEDIUM
    elif not draft.people:
        size = ShotType.WIDE
    elif _details().find(draft.narration) and last != ShotType.EXTREME_CLOSE_UP:
        size = ShotType.EXTREME_CLOSE_UP
    elif moods.emotion_of(draft.narration) in _INTIMATE:
        size = ShotType.CLOSE_UP
    elif len(draft.people) > 1 and last != ShotType.WIDE:
        size = ShotType.WIDE
    else:
        size = ShotType.MEDIUM
    if size == last and (len(before) < 2 or before[0].shot_type == size or not draft.lines):
        return _ALTERNATIVES[size]
    return size


def _move(draft: Draft, before: Draft | None, index: int) -> CameraMovement:
    last = before.camera if before else None
    if not draft.lines:
        for movement, words in _motion():
            if movement != last and words.find(draft.narration or draft.description):
                return movement
    moves = _MOVES[draft.shot_type or ShotType.MEDIUM]
    turned = [moves[(index + offset) % len(moves)] for offset in range(len(moves))]
    return next((move for move in turned if move != last), turned[0])


def _transition(draft: Draft, after: Draft | None) -> Transition:
    if after is None:
        return Transition.FADE_BLACK
    if after.scene != draft.scene or after.setting != draft.setting:
        return Transition.CROSSFADE
    if draft.cutaway or (after.paragraph != draft.paragraph and not draft.lines and not after.lines):
        return Transition.CROSSFADE
    return Transition.CUT
