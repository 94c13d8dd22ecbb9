"""Every field of the creation input changes the film that comes of it: films of one story that differ in it."""

import io
import wave
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.acceptance.film import SAMPLE_RATE, Cue, Film, decode, difference, read_cues
from tests.acceptance.product import STORY, Api, Server
from tests.contract.fields import shows

pytestmark = pytest.mark.timeout(400)

SEEN = 5.0
"""Mean difference of pictures, in levels of 255."""


@dataclass
class Made:
    film: Film
    cues: list[Cue]
    materials: dict[str, Any]
    has_subtitles: bool

    @property
    def words(self) -> str:
        return "".join(cue.text.replace("\n", "") for cue in self.cues)


def _green_picture(api: Api) -> dict[str, str]:
    buffer = io.BytesIO()
    Image.new("RGB", (640, 360), "#08d020").save(buffer, "PNG")
    return {"id": api.upload(buffer.getvalue(), "green.png", "image/png", "image")["id"]}


def _beeps(api: Api) -> dict[str, str]:
    """Music that no composer writes: 100 ms of a high tone every half second."""
    times = np.arange(SAMPLE_RATE * 4) / SAMPLE_RATE
    samples = np.where(times % 0.5 < 0.1, 12_000 * np.sin(2 * np.pi * 6000 * times), 0).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.tobytes())
    return {"id": api.upload(buffer.getvalue(), "beeps.wav", "audio/wav", "audio")["id"], "label": "背景音乐"}


def _document(api: Api) -> dict[str, str]:
    text = "第二天早上，一艘红色的大船开进了港口。".encode()
    return {"id": api.upload(text, "more.txt", "text/plain", "document")["id"]}


@pytest.fixture(scope="module")
def made(server: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Made]:
    """A film per field, two fields where the eye takes one and the ear the other."""
    folder = tmp_path_factory.mktemp("inputs")
    api = server.new_user("writer")
    submissions: dict[str, dict[str, Any]] = {
        "plain": {},
        "style, music, document": {
            "config": {"style_id": _style(api)},
            "attachments": [_beeps(api), _document(api)],
        },
        "portrait, English, bare": {"config": {"aspect_ratio": "9:16"}, "language": "en", "subtitle_enabled": False},
        "long, reference": {
            "config": {"duration_type": "custom", "duration_seconds": 20},
            "attachments": [_green_picture(api)],
        },
        "professional": {"input_mode": "professional"},
        "subject": {"config": {"subject_id": api.get("/input/options")["subjects"][-1]["id"]}},
    }
    projects = {name: api.submit(STORY, **submission) for name, submission in submissions.items()}
    running = {}
    for name, project in projects.items():
        api.wait_for_materials(project)
        ratio = "9:16" if name.startswith("portrait") else "16:9"
        running[name] = api.start_export(project, name, ratio=ratio)
    films = {}
    for name, project in projects.items():
        api.wait_for_export(running[name])
        files = api.exported(project, name, folder)
        package = api.get(f"/generation/progress/{project}")["material_package_id"]
        films[name] = Made(
            decode(files["video"]),
            read_cues(files["subtitle"]) if "subtitle" in files else [],
            api.get(f"/material-packages/{package}")["materials"],
            "subtitle" in files,
        )
    return films


def _style(api: Api) -> str:
    styles = api.get("/input/options")["styles"]
    return str(next(style["id"] for style in styles if "水墨" in style["name"]))


def _high_tone(film: Film) -> float:
    """The share of the sound's power about 6 kHz."""
    power = np.abs(np.fft.rfft(film.sound.mean(axis=0))) ** 2
    hz = np.fft.rfftfreq(film.sound.shape[1], 1 / SAMPLE_RATE)
    return float(power[(hz > 5900) & (hz < 6100)].sum() / power.sum())


def _colour(film: Film, until_s: float | None = None) -> np.ndarray:
    end = None if until_s is None else round(until_s * film.fps)
    return film.frames[: end : round(film.fps)].mean(axis=(0, 1, 2))


@shows("POST /input/submit", "config.style_id")
def test_style_id(made: dict[str, Made]) -> None:
    plain, styled = made["plain"], made["style, music, document"]
    assert styled.materials["art_style"]["style_name"] == "水墨"
    assert difference(styled.film.at(1.0), plain.film.at(1.0)) > SEEN
    told_by_both_s = plain.film.duration_s  # the document's part follows
    spread = [float(np.ptp(_colour(one.film, told_by_both_s))) for one in (styled, plain)]
    assert spread[0] < spread[1], "ink is less colourful than a sunset"


def test_an_attached_sound_is_the_music(made: dict[str, Made]) -> None:
    assert _high_tone(made["style, music, document"].film) > 10 * _high_tone(made["plain"].film)


@shows("POST /input/submit", "config.aspect_ratio")
def test_aspect_ratio(made: dict[str, Made]) -> None:
    portrait = made["portrait, English, bare"].film
    assert (portrait.width, portrait.height) == (720, 1280)
    assert (made["plain"].film.width, made["plain"].film.height) == (1280, 720)


@shows("POST /input/submit", "language")
def test_language(made: dict[str, Made]) -> None:
    """The narrator is the language's own, so the same words take another voice."""
    plain, english = made["plain"].film, made["portrait, English, bare"].film
    length = min(plain.sound.shape[1], english.sound.shape[1])
    assert np.abs(plain.sound[:, :length] - english.sound[:, :length]).mean() > 0.01


@shows("POST /input/submit", "subtitle_enabled")
def test_subtitle_enabled(made: dict[str, Made]) -> None:
    assert made["plain"].has_subtitles
    assert not made["portrait, English, bare"].has_subtitles


@shows("POST /input/submit", "config.duration_seconds")
def test_duration_seconds(made: dict[str, Made]) -> None:
    assert made["long, reference"].film.duration_s == pytest.approx(20, abs=2)
    assert abs(made["plain"].film.duration_s - 20) > 4


@shows("POST /input/submit", "input_mode")
def test_input_mode(made: dict[str, Made]) -> None:
    """General tells the story in its own words and cuts, professional keeps the author's."""
    plain, verbatim = made["plain"], made["professional"]
    shots = [[shot["description"] for shot in one.materials["storyboards"]] for one in (plain, verbatim)]
    assert shots[0] != shots[1]
    length = min(len(plain.film.frames), len(verbatim.film.frames)) / plain.film.fps
    moments = np.arange(0.5, length, 0.5)
    assert max(difference(plain.film.at(at), verbatim.film.at(at)) for at in moments) > SEEN


@shows("POST /input/submit", "attachments.id")
def test_an_attached_picture_is_a_reference(made: dict[str, Made]) -> None:
    plain, green = _colour(made["plain"].film), _colour(made["long, reference"].film)
    assert green[1] - green[[0, 2]].mean() > plain[1] - plain[[0, 2]].mean() + SEEN


def test_an_attached_document_joins_the_text(made: dict[str, Made]) -> None:
    assert "大船" in made["style, music, document"].words
    assert "大船" not in made["plain"].words
    assert made["style, music, document"].film.duration_s > made["plain"].film.duration_s + 1


@shows("POST /input/submit", "config.subject_id")
def test_subject_id(made: dict[str, Made]) -> None:
    people = [
        [person["character_name"] for person in made[name].materials["characters"]] for name in ("plain", "subject")
    ]
    assert people[0] != people[1]
    plain, other = made["plain"].film, made["subject"].film
    moments = np.arange(0.5, min(plain.duration_s, other.duration_s), 0.5)
    assert max(difference(plain.at(at), other.at(at)) for at in moments) > SEEN
    assert made["plain"].words != made["subject"].words
