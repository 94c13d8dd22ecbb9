"""Timeline arithmetic: lengths, starts, transitions, speech."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.timeline.rules import (
    FPS,
    LINE_GAP_S,
    SPEECH_APART_S,
    SPEECH_LEAD_S,
    ClipTiming,
    batch_status,
    clip_duration,
    estimate_speech_s,
    film_duration,
    is_speakable,
    place,
    total_duration,
)
from models.specs import Transition


def clip(
    planned_s: float = 3.0,
    *,
    user_s: float | None = None,
    transition: Transition = Transition.CUT,
    transition_s: float = 0.0,
    speech_s: tuple[float, ...] = (),
) -> ClipTiming:
    return ClipTiming(planned_s, user_s, transition, transition_s, speech_s)


def test_a_clip_is_as_long_as_planned_or_as_its_speech_needs() -> None:
    assert clip_duration(clip(3.0)) == 3.0
    assert clip_duration(clip(3.0, speech_s=(4.6,))) == pytest.approx(5.0)
    assert clip_duration(clip(3.0, speech_s=(2.0, 2.0))) == pytest.approx(4.0 + LINE_GAP_S + 0.4, abs=1 / FPS)


def test_a_shorter_length_set_by_the_user_is_kept_and_flagged() -> None:
    first, second = place([clip(3.0, user_s=2.0, speech_s=(4.0,)), clip(3.0, speech_s=(1.0,))])
    assert first.duration_s == 2.0
    assert first.speech_overrun
    assert not second.speech_overrun
    # The speech runs on into the next shot, whose own speech waits for it.
    assert second.speech_start_s == [pytest.approx(SPEECH_LEAD_S + 4.0 + SPEECH_APART_S)]


def test_the_next_clip_starts_where_the_transition_starts() -> None:
    first, second = place([clip(4.0, transition=Transition.CROSSFADE, transition_s=1.0), clip(4.0)])
    assert second.start_s == pytest.approx(first.end_s - 1.0)
    assert total_duration([first, second]) == pytest.approx(7.0)


def test_a_cut_has_no_transition_time_whatever_was_stored() -> None:
    first, second = place([clip(4.0, transition=Transition.CUT, transition_s=1.0), clip(4.0)])
    assert first.transition_s == 0
    assert second.start_s == first.end_s


def test_a_transition_never_eats_a_short_clip() -> None:
    first, _ = place([clip(4.0, transition=Transition.CROSSFADE, transition_s=3.0), clip(1.0)])
    assert first.transition_s <= 0.4


def test_speech_over_the_last_clip_lengthens_the_film() -> None:
    clips = [clip(3.0, user_s=1.0, speech_s=(4.0,))]
    assert film_duration(place(clips), [c.speech_s for c in clips]) == pytest.approx(SPEECH_LEAD_S + 4.0)


clips_strategy = st.lists(
    st.builds(
        clip,
        st.floats(0.5, 30),
        user_s=st.none() | st.floats(0.5, 30),
        transition=st.sampled_from(list(Transition)),
        transition_s=st.floats(0, 3),
        speech_s=st.lists(st.floats(0.1, 20), max_size=4).map(tuple),
    ),
    min_size=1,
    max_size=12,
)


@given(clips_strategy)
def test_no_two_lines_are_ever_spoken_at_once(clips: list[ClipTiming]) -> None:
    placed = place(clips)
    spoken = [
        (start, start + length)
        for timing, place_ in zip(clips, placed, strict=True)
        for start, length in zip(place_.speech_start_s, timing.speech_s, strict=True)
    ]
    for (_, end), (start, _) in pairwise(spoken):
        assert start >= end


@given(clips_strategy)
def test_clips_are_whole_frames_and_follow_each_other(clips: list[ClipTiming]) -> None:
    placed = place(clips)
    assert placed[0].start_s == 0
    for place_ in placed:
        assert place_.duration_s * FPS == pytest.approx(round(place_.duration_s * FPS), abs=1e-4)
    for earlier, later in pairwise(placed):
        assert later.start_s == pytest.approx(earlier.end_s - earlier.transition_s, abs=1e-5)
        assert later.end_s > earlier.end_s - 1e-9 or later.duration_s > earlier.transition_s


def test_speech_estimates_follow_language_and_speed() -> None:
    assert estimate_speech_s("海" * 42, 1.0) == pytest.approx(10.0)
    assert estimate_speech_s("word " * 26, 2.0) == pytest.approx(5.0)


def test_punctuation_and_emoji_are_not_speech() -> None:
    assert not is_speakable("……！？🎉")
    assert is_speakable("3")


@pytest.mark.parametrize(
    ("states", "was_cancelled", "status"),
    [
        (["pending", "pending"], False, "pending"),
        (["pending", "processing"], False, "processing"),
        (["pending", "completed"], False, "processing"),
        (["completed", "failed"], False, "completed"),
        (["failed", "failed"], False, "failed"),
        (["completed", "cancelled"], True, "cancelled"),
        (["completed", "cancelled"], False, "completed"),  # the other clip was deleted
        (["cancelled", "cancelled"], False, "cancelled"),
    ],
)
def test_a_batch_is_what_its_videos_are(states: list[str], was_cancelled: bool, status: str) -> None:
    assert batch_status(states, was_cancelled=was_cancelled) == status
