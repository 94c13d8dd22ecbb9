import numpy as np
import pytest

from models.planes import planes, rgb_to_i420
from models.specs import FilmClip, Transition
from pipelines.media.compositor import Plan, film_frames, plan_film
from pipelines.media.frames import i420_to_rgb

from .material import BLUE, FPS, HEIGHT, RED, WIDTH, colour_at, film_spec, is_near, plain, still

SIZE = (WIDTH, HEIGHT)
COLOURS = {"red": RED, "blue": BLUE}


def source(number: int, clip: FilmClip):
    """Clips of one colour, so that a frame tells what it was mixed from."""

    def frames(count: int):
        for _ in range(count):
            yield rgb_to_i420(plain(COLOURS[clip.media_key]))

    return frames


def two_clips(transition: Transition, overlap_s: float) -> Plan:
    clips = [
        still("red", 0.0, 2.0, transition=transition, transition_duration_s=overlap_s),
        still("blue", 2.0 - overlap_s, 2.0),
    ]
    return plan_film(film_spec(clips), source, None, 0.0, 0.0)


def pictures(plan: Plan) -> list[np.ndarray]:
    return [i420_to_rgb(frame) for frame in film_frames(plan, SIZE)]


def test_a_cut_changes_from_one_frame_to_the_next() -> None:
    frames = pictures(two_clips(Transition.CUT, 0.0))
    assert len(frames) == 4 * FPS
    assert is_near(colour_at(frames[2 * FPS - 1], 0.5, 0.5), RED)
    assert is_near(colour_at(frames[2 * FPS], 0.5, 0.5), BLUE)


@pytest.mark.parametrize("transition", [kind for kind in Transition if kind is not Transition.CUT])
def test_an_overlap_shortens_the_film_and_starts_and_ends_clean(transition: Transition) -> None:
    frames = pictures(two_clips(transition, 1.0))
    assert len(frames) == 3 * FPS
    for number in range(FPS):
        assert is_near(colour_at(frames[number], 0.5, 0.5), RED)
        assert is_near(colour_at(frames[-1 - number], 0.5, 0.5), BLUE)


def middle(transition: Transition) -> np.ndarray:
    # An overlap of 11 frames has a frame at exactly one half.
    return pictures(two_clips(transition, 11 / FPS))[24 - 11 + 5]


def test_the_middle_of_each_transition() -> None:
    half = (np.array(RED) + BLUE) / 2
    crossed = middle(Transition.CROSSFADE)
    assert all(is_near(colour_at(crossed, x, 0.5), tuple(half)) for x in (0.1, 0.5, 0.9))
    assert middle(Transition.FADE_BLACK).max() < 6
    assert middle(Transition.FADE_WHITE).min() > 249
    for transition, left, right in (
        (Transition.WIPE_LEFT, RED, BLUE),
        (Transition.WIPE_RIGHT, BLUE, RED),
        (Transition.SLIDE_LEFT, RED, BLUE),
    ):
        frame = middle(transition)
        assert is_near(colour_at(frame, 0.2, 0.5), left)
        assert is_near(colour_at(frame, 0.8, 0.5), right)
    pushed = middle(Transition.SLIDE_UP)
    assert is_near(colour_at(pushed, 0.5, 0.2), RED)
    assert is_near(colour_at(pushed, 0.5, 0.8), BLUE)


def test_a_slide_moves_the_picture_and_a_wipe_does_not() -> None:
    def striped(number: int, clip: FilmClip):
        image = plain(COLOURS[clip.media_key])
        if clip.media_key == "red":
            image[:, 240:260] = 250

        def frames(count: int):
            for _ in range(count):
                yield rgb_to_i420(image)

        return frames

    def stripe_at(transition: Transition) -> float:
        spec = film_spec(
            [
                still("red", 0.0, 2.0, transition=transition, transition_duration_s=11 / FPS),
                still("blue", 2.0 - 11 / FPS, 2.0),
            ]
        )
        frames = [planes(f)[0].copy() for f in film_frames(plan_film(spec, striped, None, 0.0, 0.0), SIZE)]
        bright = np.flatnonzero(frames[24 - 11 + 5][90] > 200)
        return float(bright.mean()) if bright.size else -1.0

    assert abs(stripe_at(Transition.SLIDE_LEFT) - (250 - WIDTH / 2)) < 4
    assert stripe_at(Transition.WIPE_LEFT) == -1.0  # already covered by the next picture


@pytest.mark.parametrize(
    ("transition", "dark"),
    [(Transition.FADE_BLACK, True), (Transition.CROSSFADE, True), (Transition.FADE_WHITE, False)],
)
def test_the_last_clip_fades_out(transition: Transition, dark: bool) -> None:
    clip = still("red", 0.0, 3.0, transition=transition, transition_duration_s=1.0)
    frames = pictures(plan_film(film_spec([clip]), source, None, 0.0, 0.0))
    assert len(frames) == 3 * FPS
    assert is_near(colour_at(frames[2 * FPS - 1], 0.5, 0.5), RED)
    levels = [float(frame.mean()) for frame in frames[2 * FPS :]]
    assert levels == sorted(levels, reverse=dark)
    assert levels[-1] < 3 if dark else levels[-1] > 252


def test_three_clips_may_overlap_at_once() -> None:
    clips = [
        still("red", 0.0, 1.0, transition=Transition.CROSSFADE, transition_duration_s=0.5),
        still("blue", 0.5, 0.75, transition=Transition.CROSSFADE, transition_duration_s=0.5),
        still("red", 0.75, 1.25),
    ]
    frames = pictures(plan_film(film_spec(clips), source, None, 0.0, 0.0))
    assert len(frames) == 2 * FPS
    assert is_near(colour_at(frames[-1], 0.5, 0.5), RED)


def test_gaps_and_rounding_leave_no_frame_empty() -> None:
    clips = [still("red", 0.21, 0.77), still("blue", 1.3, 0.51)]
    plan = plan_film(film_spec(clips), source, None, 0.0, 0.0)
    frames = pictures(plan)
    assert len(frames) == round(1.81 * FPS)
    assert is_near(colour_at(frames[0], 0.5, 0.5), RED)
    assert is_near(colour_at(frames[-1], 0.5, 0.5), BLUE)


def test_clips_may_come_in_any_order() -> None:
    clips = [still("blue", 1.0, 1.0), still("red", 0.0, 1.0)]
    frames = pictures(plan_film(film_spec(clips), source, None, 0.0, 0.0))
    assert is_near(colour_at(frames[0], 0.5, 0.5), RED)
    assert is_near(colour_at(frames[-1], 0.5, 0.5), BLUE)


def test_the_cover_comes_first_and_fades_into_the_film() -> None:
    def cover(count: int):
        for _ in range(count):
            yield rgb_to_i420(plain((240, 240, 240)))

    plan = plan_film(film_spec([still("red", 0.0, 2.0)]), source, cover, 1.0, 0.5)
    frames = pictures(plan)
    assert len(frames) == 3 * FPS
    assert frames[FPS - 1].min() > 230
    assert not is_near(colour_at(frames[FPS + 2], 0.5, 0.5), RED)
    assert is_near(colour_at(frames[FPS + 6], 0.5, 0.5), RED)
