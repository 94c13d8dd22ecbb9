"""Small made-up material for films, and ways to look at what came out."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import av
import numpy as np

from models.interfaces import Sound
from models.specs import EncodeSpec, FilmClip
from pipelines.context import LocalContext
from pipelines.media.audio import write_flac
from pipelines.media.frames import i420_to_rgb, rgb_to_i420, save_png
from pipelines.media.video_writer import VideoWriter

RED, GREEN, BLUE, YELLOW = (200, 40, 40), (40, 180, 60), (40, 60, 200), (220, 200, 40)
WIDTH, HEIGHT, FPS = 320, 180, 12


def quarters(width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Red, green / blue, yellow: enough to tell where every part of a picture went."""
    image = np.empty((height, width, 3), np.uint8)
    image[: height // 2, : width // 2], image[: height // 2, width // 2 :] = RED, GREEN
    image[height // 2 :, : width // 2], image[height // 2 :, width // 2 :] = BLUE, YELLOW
    return image


def plain(colour: tuple[int, int, int], width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


def texture(width: int = WIDTH, height: int = HEIGHT, seed: int = 1) -> np.ndarray:
    """Soft random blobs: every small motion of it changes its pixels."""
    coarse = np.random.default_rng(seed).uniform(30, 225, (height // 6 + 2, width // 6 + 2, 3))
    return np.kron(coarse, np.ones((6, 6, 1)))[:height, :width].astype(np.uint8)


def store_picture(context: LocalContext, name: str, image: np.ndarray) -> str:
    save_png(context.root / name, image)
    return name


def store_video(context: LocalContext, name: str, images: Iterable[np.ndarray], fps: int = FPS, **options: Any) -> str:
    images = list(images)
    height, width = images[0].shape[:2]
    with VideoWriter(context.root / name, width, height, fps, **options) as writer:
        for image in images:
            writer.write(rgb_to_i420(image))
    return name


def store_tone(
    context: LocalContext, name: str, duration_s: float, hertz: float = 440.0, amplitude: float = 0.2
) -> str:
    times = np.arange(round(48000 * duration_s)) / 48000
    samples = (amplitude * np.sin(2 * np.pi * hertz * times)).astype(np.float32)
    write_flac(context.root / name, Sound(samples[None], 48000))
    return name


def still(key: str, start_s: float = 0.0, duration_s: float = 2.0, **fields: Any) -> FilmClip:
    return FilmClip(kind="image", media_key=key, start_s=start_s, duration_s=duration_s, **fields)


def video(key: str, start_s: float = 0.0, duration_s: float = 2.0, **fields: Any) -> FilmClip:
    return FilmClip(kind="video", media_key=key, start_s=start_s, duration_s=duration_s, **fields)


def film_spec(clips: list[FilmClip], **fields: Any) -> EncodeSpec:
    plan = {"title": "t", "language": "zh", "width": WIDTH, "height": HEIGHT, "fps": FPS, **fields}
    return EncodeSpec(clips=clips, **plan)


def rgb_frames(path: Path) -> list[np.ndarray]:
    """Every picture of a file, through the project's own BT.709 conversion."""
    with av.open(str(path)) as container:
        return [i420_to_rgb(frame.to_ndarray(format="yuv420p")) for frame in container.decode(video=0)]


def colour_at(image: np.ndarray, x: float, y: float) -> np.ndarray:
    """Mean colour of a small square around a place given in fractions of the picture."""
    height, width = image.shape[:2]
    column, row = round(x * (width - 1)), round(y * (height - 1))
    patch = image[max(0, row - 3) : row + 4, max(0, column - 3) : column + 4]
    return patch.reshape(-1, 3).mean(axis=0)


def is_near(seen: np.ndarray, colour: tuple[int, int, int], within: float = 14.0) -> bool:
    return bool(np.abs(seen - np.asarray(colour)).max() <= within)
