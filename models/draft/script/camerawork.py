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
# Side by side in a tall picture, people who stand far away are tiny, and a shoulder hides who speaks.
_IN_TALL_PICTURES = {
    ShotType.ESTABLISHING: ShotType.MEDIUM,
    ShotType.WIDE: ShotType.MEDIUM,
    ShotType.OVER_SHOULDER: ShotType.CLOSE_UP,
}
_REESTABLISH_AFTER = 4
_FEW = 2
_FACES = frozenset([ShotType.CLOSE_UP, ShotType.EXTREME_CLOSE_UP])


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


def direct(drafts: list[Draft], wish: str, aspect: float = 16 / 9) -> None:
    """Decide everything about how the shots are taken that the author left open; a wish that names a size or a move
    decides it for all. ``aspect``: width over height of the film."""
    wished_type = spoken_of("shot_type").first(wish)
    wished_move = spoken_of("camera").first(wish)
    established: dict[str | None, int] = {}
    met: set[str] = set()
    for index, draft in enumerate(drafts):
        before = drafts[index - 1] if index else None
        opens = before is None or before.scene != draft.scene
        if draft.shot_type is None:
            if wished_type:
                draft.shot_type = ShotType(wished_type.id)
            elif opens and draft.people:
                draft.shot_type = _opening_size(draft, before, alone=_stands_alone(drafts, index))
            elif opens:
                long_ago = index - established.get(draft.scene, -_REESTABLISH_AFTER) >= _REESTABLISH_AFTER
                draft.shot_type = ShotType.ESTABLISHING if long_ago else ShotType.WIDE
            else:
                draft.shot_type = _size(draft, drafts[max(0, index - 2) : index], met)
            if aspect < 1 and len(draft.people) > 1 and not wished_type:
                draft.shot_type = _IN_TALL_PICTURES.get(draft.shot_type, draft.shot_type)
        if draft.shot_type == ShotType.ESTABLISHING:
            established[draft.scene] = index
        met |= set(draft.people)
        if draft.camera is None:
            draft.camera = CameraMovement(wished_move.id) if wished_move else _move(draft, before, index)
    for index, draft in enumerate(drafts):
        if draft.transition is None:
            draft.transition = _transition(draft, drafts[index + 1] if index + 1 < len(drafts) else None)


def _opening_size(draft: Draft, before: Draft | None, *, alone: bool) -> ShotType:
    """Of a scene's first shot with people in it: they are of a size to be known by, and the place is seen too."""
    speaks_or_stays = (draft.lines or alone) and len(draft.people) <= _FEW and not _moves_about(draft)
    if speaks_or_stays and not (before and before.shot_type == ShotType.MEDIUM):
        return ShotType.MEDIUM
    return ShotType.WIDE


def _stands_alone(drafts: list[Draft], index: int) -> bool:
    """Whether a shot is all there is of its scene here, so that who is in it would be seen from afar only."""
    return index + 1 >= len(drafts) or drafts[index + 1].scene != drafts[index].scene


def _size(draft: Draft, before: list[Draft], met: set[str]) -> ShotType:
    size = _by_content(draft, before, met)
    # A face alone shows neither who waves nor who runs.
    if size in _FACES and (_moves_about(draft) or _gestures().find(draft.narration or draft.description)):
        return ShotType.MEDIUM
    return size


def _by_content(draft: Draft, before: list[Draft], met: set[str]) -> ShotType:
    last = before[-1].shot_type if before else None
    if draft.lines:
        feeling = draft.lines[0].emotion
        if feeling in _INTIMATE:
            size = ShotType.CLOSE_UP
        elif len(draft.people) > 1:
            size = ShotType.OVER_SHOULDER if last != ShotType.OVER_SHOULDER else ShotType.MEDIUM
        else:
            size = ShotType.CLOSE_UP if last != ShotType.CLOSE_UP and met.issuperset(draft.people) else ShotType.MEDIUM
    elif not draft.people:
        size = ShotType.WIDE
    elif _shows_detail(draft, met) and last != ShotType.EXTREME_CLOSE_UP:
        size = ShotType.EXTREME_CLOSE_UP
    elif moods.emotion_of(draft.narration) in _INTIMATE:
        size = ShotType.CLOSE_UP
    elif len(draft.people) > _FEW and last != ShotType.WIDE:
        size = ShotType.WIDE
    else:
        size = ShotType.MEDIUM
    if size == last and (len(before) < 2 or before[0].shot_type == size or not draft.lines):
        return ShotType.CLOSE_UP if draft.people and size == ShotType.WIDE else _ALTERNATIVES[size]
    return size


def _shows_detail(draft: Draft, met: set[str]) -> bool:
    """Whether the shot is about a small thing: of people who were seen before and who stay where they are."""
    told = draft.narration or draft.description
    return bool(_details().find(told)) and met.issuperset(draft.people) and not _moves_about(draft)


@lru_cache(maxsize=1)
def _gaits() -> Vocabulary:
    """Ways to move that need the whole body in the picture."""
    return Vocabulary([Entry("gait", tuple(moods.data()["gaits"]))])


@lru_cache(maxsize=1)
def _gestures() -> Vocabulary:
    return Vocabulary([Entry("gesture", tuple(moods.data()["gestures"]))])


def _moves_about(draft: Draft) -> bool:
    return bool(_gaits().find(draft.narration or draft.description))


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
