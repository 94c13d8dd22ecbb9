from pathlib import Path

import numpy as np
import pytest

from models.interfaces import Sound
from models.planes import planes, rgb_to_i420
from pipelines.media.check import Expected, FilmCheckError, check_film, levels_db
from pipelines.media.encode import Film, choose_encoder, mean_luma, write_film

from .material import plain, texture

WIDTH, HEIGHT, FPS, SECONDS = 160, 90, 10, 3


def tone(seconds: float = SECONDS, amplitude: float = 0.3) -> Sound:
    times = np.arange(round(48000 * seconds)) / 48000
    samples = amplitude * np.sin(2 * np.pi * 330 * times)
    return Sound(np.tile(samples.astype(np.float32), (2, 1)), 48000)


def write(
    path: Path,
    pictures: list[np.ndarray] | None = None,
    sound: Sound | None = None,
    width: int = WIDTH,
    fps: int = FPS,
    height: int = HEIGHT,
) -> None:
    pictures = pictures or [texture(width, height, seed) for seed in range(SECONDS * FPS)]
    frames = (rgb_to_i420(picture) for picture in pictures)
    film = Film(width, height, fps, len(pictures), frames, sound or tone(), "t")
    write_film(path, film, "libx264", lambda frame, number: None, lambda number: None)


@pytest.fixture
def planned() -> Expected:
    luma = [mean_luma(planes(rgb_to_i420(texture(WIDTH, HEIGHT, seed)))[0]) for seed in range(SECONDS * FPS)]
    return Expected(WIDTH, HEIGHT, FPS, np.array(luma, np.float32), levels_db(tone()))


def refused(path: Path, planned: Expected, reason: str) -> None:
    with pytest.raises(FilmCheckError, match=reason):
        check_film(path, planned, lambda fraction: None)


def test_a_good_film_passes_and_reports_progress(tmp_path: Path, planned: Expected) -> None:
    path = tmp_path / "film.mp4"
    write(path)
    seen: list[float] = []
    check_film(path, planned, seen.append)
    assert seen == sorted(seen)
    assert 0 <= seen[0] < seen[-1] <= 1


def test_no_file_or_an_empty_one(tmp_path: Path, planned: Expected) -> None:
    path = tmp_path / "film.mp4"
    refused(path, planned, "missing or empty")
    path.touch()
    refused(path, planned, "missing or empty")


@pytest.mark.parametrize("kept", [0.2, 0.6, 0.97])
def test_a_truncated_file(tmp_path: Path, planned: Expected, kept: float) -> None:
    path = tmp_path / "film.mp4"
    write(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    refused(path, planned, "film|picture|sound")


def test_damage_in_the_middle(tmp_path: Path, planned: Expected) -> None:
    path = tmp_path / "film.mp4"
    write(path)
    data = bytearray(path.read_bytes())
    half = len(data) // 2
    data[half : half + 6000] = bytes(6000)
    path.write_bytes(data)
    refused(path, planned, "film|picture|sound")


def test_black_pictures_where_none_were_planned(tmp_path: Path, planned: Expected) -> None:
    path = tmp_path / "film.mp4"
    write(path, [plain((0, 0, 0), WIDTH, HEIGHT)] * (SECONDS * FPS))
    refused(path, planned, "brightness 16")


def test_planned_black_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    write(path, [plain((0, 0, 0), WIDTH, HEIGHT)] * (SECONDS * FPS))
    luma = np.full(SECONDS * FPS, 16, np.float32)
    check_film(path, Expected(WIDTH, HEIGHT, FPS, luma, levels_db(tone())), lambda fraction: None)


def test_silence_where_sound_was_planned(tmp_path: Path, planned: Expected) -> None:
    path = tmp_path / "film.mp4"
    write(path, sound=tone(amplitude=0.0))
    refused(path, planned, "sound at 0.0 s is -1")


def test_a_hole_in_the_sound(tmp_path: Path, planned: Expected) -> None:
    sound = tone()
    sound.samples[:, 48000:72000] = 0
    path = tmp_path / "film.mp4"
    write(path, sound=sound)
    refused(path, planned, r"sound at 1\.[0-4] s")


def test_planned_silence_is_no_fault(tmp_path: Path, planned: Expected) -> None:
    path = tmp_path / "film.mp4"
    silence = tone(amplitude=0.0)
    write(path, sound=silence)
    quiet = Expected(WIDTH, HEIGHT, FPS, planned.luma, levels_db(silence))
    check_film(path, quiet, lambda fraction: None)


def test_a_wrong_duration(tmp_path: Path, planned: Expected) -> None:
    path = tmp_path / "film.mp4"
    write(path, [texture(WIDTH, HEIGHT, seed) for seed in range(SECONDS * FPS - 3)])
    refused(path, planned, "video lasts 2.70 s, not 3.00 s")
    write(path, sound=tone(2.5))
    refused(path, planned, "audio lasts 2.50 s, not 3.00 s")


def test_a_wrong_size(tmp_path: Path, planned: Expected) -> None:
    path = tmp_path / "film.mp4"
    write(path, width=176)
    refused(path, planned, "176x90 pixels, not 160x90")


def test_a_wrong_rate(tmp_path: Path, planned: Expected) -> None:
    path = tmp_path / "film.mp4"
    write(path, [texture(WIDTH, HEIGHT, seed) for seed in range(SECONDS * 2 * FPS)], fps=2 * FPS)
    refused(path, planned, "frame [12] is shown at 0")


def test_the_encoder_is_found_by_encoding() -> None:
    # Whatever this machine has, what is chosen must work here.
    assert choose_encoder() in {"h264_nvenc", "libx264"}
    assert choose_encoder.cache_info().currsize == 1
