"""`reelfarm render` of the samples leaves films that a person would call films."""

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.acceptance.film import ENVELOPE_HZ, Cue, Film, decode, level_db, loudness_lufs, read_cues
from tests.acceptance.product import Server, render

SAMPLES = Path(__file__).parents[2] / "samples"

PARAGRAPHS = {"seaside": 5, "lantern_city": 6}
"""How many of a sample are rendered: enough for a film of 20 seconds, for the sake of time."""

COVER_S = 2.0
_STEP_S = 0.3
"""How far the eye and the ear may be apart."""

pytestmark = pytest.mark.timeout(600)


@dataclass
class Rendered:
    film: Film
    cues: list[Cue]
    cover: bytes


@pytest.fixture(scope="module", params=PARAGRAPHS)
def rendered(request: pytest.FixtureRequest, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """A film of a sample's first paragraphs from the command line, with the files that were exported beside it."""
    folder, name = tmp_path_factory.mktemp("film"), request.param
    user = server.new_user(name)
    paragraphs = (SAMPLES / f"{name}.txt").read_text().split("\n\n")
    story = folder / f"{name}.txt"
    story.write_text("\n\n".join(paragraphs[: PARAGRAPHS[name]]))
    film = render(story, folder / "film.mp4", [], server, name)
    (project,) = user.get("/projects")["list"]
    files = {file["file_type"]: file for file in user.get(f"/projects/{project['id']}/export-files")["list"]}
    assert set(files) == {"video", "subtitle", "cover"}
    cues = read_cues(user.download(files["subtitle"], folder))
    return Rendered(decode(film), cues, user.download(files["cover"], folder).read_bytes())


def test_it_is_a_film_of_h264_and_aac(rendered: Rendered) -> None:
    film = rendered.film
    assert (film.video_codec, film.audio_codec) == ("h264", "aac")
    assert (film.width, film.height, film.fps) == (1280, 720, 24)
    assert film.duration_s >= 20
    assert film.sound.shape[1] / 48_000 == pytest.approx(film.duration_s, abs=0.1)


def test_the_picture_is_never_black_but_for_a_fade(rendered: Rendered) -> None:
    black = rendered.film.grey.mean(axis=(1, 2)) < 12
    longest = max((len(list(run)) for dark, run in itertools.groupby(black) if dark), default=0)
    assert longest <= 0.25 * rendered.film.fps
    assert black.mean() < 0.02


def test_the_picture_never_stands_still_for_a_second(rendered: Rendered) -> None:
    grey, second = rendered.film.grey, round(rendered.film.fps)
    change = np.abs(grey[second:] - grey[:-second]).mean(axis=(1, 2))
    assert change.min() > 0.5, f"frozen at {change.argmin() / second:.1f} s"


def test_the_shots_are_different_pictures(rendered: Rendered) -> None:
    thirds = [rendered.film.at(rendered.film.duration_s * part) for part in (0.2, 0.5, 0.8)]
    for one, other in itertools.combinations(thirds, 2):
        assert np.abs(one - other).mean() > 10


def test_the_cover_comes_first_and_is_stored(rendered: Rendered) -> None:
    film = rendered.film
    assert rendered.cover.startswith(b"\xff\xd8")
    before, after = film.at(COVER_S - 1.0), film.at(COVER_S + 1.0)
    assert np.abs(before - after).mean() > 5
    assert rendered.cues[0].start_s >= COVER_S


def test_it_is_as_loud_as_films_on_the_web_are(rendered: Rendered) -> None:
    assert loudness_lufs(rendered.film) == pytest.approx(-16, abs=1)
    assert np.abs(rendered.film.sound).max() < 1.0


def _is_spoken(rendered: Rendered, *, reach_s: float) -> NDArray[np.bool_]:
    """Where a cue is on screen, each longer by `reach_s` at both ends; at the rate of the envelope."""
    spoken = np.zeros(len(rendered.film.speech_envelope), bool)
    for cue in rendered.cues:
        first = round(max(0.0, cue.start_s - reach_s) * ENVELOPE_HZ)
        spoken[first : round((cue.end_s + reach_s) * ENVELOPE_HZ)] = True
    return spoken


def test_speech_is_heard_over_the_music(rendered: Rendered) -> None:
    envelope, spoken = rendered.film.speech_envelope, _is_spoken(rendered, reach_s=0.0)
    gaps = ~_is_spoken(rendered, reach_s=0.1)
    gaps[: round(COVER_S * ENVELOPE_HZ)] = False
    speech_db = 10 * np.log10(np.mean(envelope[spoken] ** 2))
    gaps_db = 10 * np.log10(np.mean(envelope[gaps] ** 2))
    assert speech_db > gaps_db + 10


def test_there_is_music_where_nobody_speaks(rendered: Rendered) -> None:
    assert level_db(rendered.film.between(0.5, COVER_S)) > -50


def _voice(rendered: Rendered) -> NDArray[np.bool_]:
    """Where somebody speaks, at the rate of the envelope: louder than a quarter of what is loud in the cues."""
    envelope = rendered.film.speech_envelope
    return np.asarray(envelope > np.percentile(envelope[_is_spoken(rendered, reach_s=0.0)], 90) / 4)


def test_subtitles_start_with_the_voice(rendered: Rendered) -> None:
    """A cue after a pause comes on as the voice does; one that goes on with a sentence, while it speaks."""
    voice = _voice(rendered)
    pause, step = round(0.1 * ENVELOPE_HZ), round(_STEP_S * ENVELOPE_HZ)
    onsets = [at for at in np.flatnonzero(voice) if not voice[max(0, at - pause) : at].any()]
    after_a_pause = 0
    for before, cue in itertools.pairwise([Cue(0.0, 0.0, ""), *rendered.cues]):
        at = round(cue.start_s * ENVELOPE_HZ)
        assert voice[at : at + step].any(), cue
        if cue.start_s - before.end_s > 0.05:
            after_a_pause += 1
            assert min(abs(onset - at) for onset in onsets) <= step, cue
    assert after_a_pause >= 5


def test_nobody_speaks_without_subtitles(rendered: Rendered) -> None:
    voice = _voice(rendered)
    unread = voice & ~_is_spoken(rendered, reach_s=_STEP_S)
    assert unread.sum() < 0.02 * voice.sum()
    for cue in rendered.cues:
        assert voice[round(cue.start_s * ENVELOPE_HZ) : round(cue.end_s * ENVELOPE_HZ)].mean() > 0.1, cue


def test_subtitles_are_drawn_in_step_with_their_file(rendered: Rendered) -> None:
    """Where a cue comes on or goes off, the strip that subtitles stand in changes from one frame to the next."""
    grey, fps = rendered.film.grey, rendered.film.fps
    height, width = grey.shape[1:]
    strip = grey[:, round(0.75 * height) : round(0.97 * height), width // 5 : -width // 5]
    change = np.abs(np.diff(strip, axis=0)).mean(axis=(1, 2))
    for cue in rendered.cues:
        at = round(cue.start_s * fps - 0.5)
        around = np.r_[change[at - 5 : at - 2], change[at + 2 : at + 5]]
        assert change[at - 2 : at + 2].max() > np.median(around) + 0.8, cue
