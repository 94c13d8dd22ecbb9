import hashlib
import itertools
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from models.draft.music.score import compose as compose_score
from models.draft.music.score import form
from models.draft.music.styles import choose_style
from models.draft.music.theory import Scale, lead_voices, triad
from models.interfaces import Sound
from models.sound import SAMPLE_RATE, loudness_lufs, true_peak_dbtp
from models.specs import MusicSpec
from tests.unit.sound.measure import centroid_hz

Compose = Callable[..., Sound]

_MOODS = ["温暖", "欢快", "宁静", "悲伤", "紧张", "史诗", "浪漫", "神秘", "希望", "恐怖", "可爱", "动感"]


@pytest.mark.parametrize("duration_s", [0.02, 0.4, 3.0, 17.3])
def test_length_is_as_asked(compose: Compose, duration_s: float) -> None:
    assert compose(duration_s=duration_s).samples.shape == (2, round(duration_s * SAMPLE_RATE))


def test_a_long_film_gets_a_loop_of_two_minutes(compose: Compose) -> None:
    assert compose(duration_s=3600).samples.shape[1] == 120 * SAMPLE_RATE


@pytest.mark.parametrize("mood", ["", "欢快", "史诗", "sad", "cyberpunk"])
def test_level_peaks_and_joint(compose: Compose, mood: str) -> None:
    samples = compose(mood=mood, duration_s=11.0).samples
    assert loudness_lufs(samples) == pytest.approx(-20.0, abs=0.6)
    assert true_peak_dbtp(samples) < -1.0
    # Played twice, the seam's step is like any other step round it, and the level does not fall to nothing: what
    # rang at the end is still there at the start.
    jump = np.abs(samples[:, 0] - samples[:, -1]).max()
    around = np.concatenate([samples[:, -2400:], samples[:, :2400]], axis=1)
    steps = np.abs(np.diff(around, axis=1))
    assert jump <= 2.0 * np.percentile(steps, 99)
    bend = np.abs(np.diff(around, n=2, axis=1))
    assert bend[:, 2398:2400].max() <= 3.0 * np.percentile(bend, 99)
    start, end = (float(np.sqrt(np.mean(part**2))) for part in (samples[:, :480], samples[:, -480:]))
    assert start > 0.25 * end


def test_nothing_clicks(compose: Compose) -> None:
    """A click is a step much larger than those round it; music's own attacks ramp up over many samples."""
    samples = compose(mood="宁静", duration_s=15.0).samples
    bend = np.abs(np.diff(samples, n=2, axis=1)).max(axis=0)
    blocks = bend[: bend.size // 960 * 960].reshape(-1, 960)
    assert (blocks.max(axis=1) / np.maximum(blocks.mean(axis=1), 1e-4)).max() < 30


def test_moods_differ_in_what_is_heard(compose: Compose) -> None:
    heard = {}
    for mood in _MOODS:
        spec = MusicSpec(mood=mood, duration_s=12.0)
        style, palette = choose_style(spec)
        score = compose_score(style, palette, 12.0, "0")
        samples = compose(mood=mood, duration_s=12.0).samples
        frames = samples[:, : samples.shape[1] // 4800 * 4800].reshape(2, -1, 4800)
        loudness = 10 * np.log10(np.mean(frames**2, axis=(0, 2)) + 1e-9)
        heard[mood] = {
            "tempo": 12 * np.log2(score.beats_per_minute),
            "mode": 10.0 * ["phrygian", "minor", "dorian", "mixolydian", "major", "lydian"].index(style.mode),
            "meter": 10.0 * score.meter,
            "colour": 12 * np.log2(centroid_hz(samples)),
            "dynamics": float(np.percentile(loudness, 95) - np.percentile(loudness, 10)),
        }
    for one, other in itertools.combinations(_MOODS, 2):
        differences = {what: abs(heard[one][what] - heard[other][what]) for what in heard[one]}
        assert sum(difference > 1.0 for difference in differences.values()) >= 2, (one, other, differences)
    assert heard["欢快"]["tempo"] > heard["悲伤"]["tempo"] + 8
    assert heard["可爱"]["colour"] > heard["恐怖"]["colour"] + 3


@pytest.mark.parametrize(
    ("chinese", "english"),
    [
        ("悲伤", "melancholic"),
        ("欢快", "joyful"),
        ("壮阔", "epic"),
        ("梦幻", "dreamy"),
        ("赛博朋克", "cyberpunk"),
        ("科幻", "science fiction"),
        ("悬疑", "mystery"),
        ("惊悚", "horror"),
        ("爱情", "romance"),
    ],
)
def test_both_languages_choose_alike(chinese: str, english: str) -> None:
    assert choose_style(MusicSpec(mood=chinese, duration_s=1)) == choose_style(MusicSpec(mood=english, duration_s=1))


def test_every_field_of_the_request_is_heard(compose: Compose) -> None:
    plain = {"prompt": "海边的早晨", "mood": "温暖", "genre": "钢琴", "duration_s": 8.0, "seed": 1}
    base = compose(**plain).samples
    for change in ({"prompt": "紧张的追逐"}, {"mood": "悲伤"}, {"genre": "电子"}, {"seed": 2}):
        assert not np.allclose(compose(**{**plain, **change}).samples, base, atol=0.01)


@pytest.mark.parametrize("prompt", ["a warm day with grandmother", "a funeral", "kidnapped"])
def test_a_word_inside_another_means_nothing(prompt: str) -> None:
    style, _ = choose_style(MusicSpec(prompt=prompt, duration_s=1))
    assert style == choose_style(MusicSpec(duration_s=1))[0]


def test_explicit_fields_weigh_more_than_the_prompt() -> None:
    style, _ = choose_style(MusicSpec(prompt="a happy cheerful day", mood="sad", duration_s=10))
    assert style.mode == "minor"
    _, palette = choose_style(MusicSpec(prompt="piano", genre="武侠", duration_s=10))
    assert palette.pentatonic


def test_instruments_alone_choose_a_mood_that_suits_them() -> None:
    moods = {
        genre: choose_style(MusicSpec(genre=genre, duration_s=1))[0].tempo for genre in ("赛博朋克", "古筝", "交响乐")
    }
    assert len(set(moods.values())) == 3
    mood, palette = choose_style(MusicSpec(mood="悲伤", genre="赛博朋克", duration_s=1))
    assert mood.mode == "minor"
    assert palette.melody == "lead"


def test_a_fresh_process_composes_the_same(compose: Compose) -> None:
    program = (
        "import hashlib\n"
        "from models.draft.music import DraftComposer\n"
        "from models.specs import MusicSpec\n"
        "spec = MusicSpec(mood='神秘', duration_s=9, seed=4)\n"
        "sound, _ = DraftComposer(None).compose(spec, lambda _: None)\n"
        "print(hashlib.sha256(sound.samples.tobytes()).hexdigest())\n"
    )
    there = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    here = compose(mood="神秘", duration_s=9, seed=4).samples
    assert there.stdout.strip() == hashlib.sha256(here.tobytes()).hexdigest()


def test_voices_move_little_and_stay_in_the_chord() -> None:
    for mode in ("major", "minor", "phrygian", "dorian", "lydian", "mixolydian"):
        scale = Scale(57, mode)
        degrees = [1, 4, 1, 6, 2, 1, 3, 1]
        voices = lead_voices(scale, degrees)
        for degree, voicing in zip(degrees, voices, strict=True):
            assert {pitch % 12 for pitch in voicing} == {scale.pitch(step) % 12 for step in triad(degree)}
        for before, after in itertools.pairwise(voices):
            assert sum(abs(a - b) for a, b in zip(before, after, strict=True)) <= 9


@pytest.mark.parametrize("mood", _MOODS)
def test_the_score_keeps_to_its_scale_and_its_form(mood: str) -> None:
    style, palette = choose_style(MusicSpec(mood=mood, duration_s=1))
    score = compose_score(style, palette, 60.0, "7")
    low, high = style.tempo
    assert 0.93 * low <= score.beats_per_minute <= 1.07 * high
    sung = [note for note in score.notes if note.part == "melody"]
    assert sung
    tonics = [
        tonic
        for tonic in range(55, 62)
        if all((n.pitch - tonic) % 12 in {Scale(0, style.mode).pitch(s) % 12 for s in range(7)} for n in sung)
    ]
    assert tonics
    assert max(abs(a.pitch - b.pitch) for a, b in itertools.pairwise(sorted(sung, key=lambda n: n.start))) <= 12
    assert all(0 <= note.start < score.beats and note.velocity > 0 for note in score.notes)


@pytest.mark.parametrize("bars", [1, 2, 7, 8, 9, 15, 23, 24, 37, 60])
def test_a_form_has_all_its_bars(bars: int) -> None:
    sections = form(bars)
    assert sum(section.bars for section in sections) == bars
    if bars >= 16:
        letters = "".join(section.letter for section in sections)
        assert letters.startswith("IA")
        assert letters.endswith("O")
        assert "B" in letters
