"""How a clip is made with a model that makes only so many pixels and frames at once. Pure arithmetic."""

import math
from collections.abc import Sequence
from itertools import product

# A decoder mirrors its latents at the edges, so it needs two; the estimation of motion needs two of its blocks.
_LEAST_MULTIPLES = 2
_LEAST_SIDE = 32


def model_size(width: int, height: int, *, multiple_of: int, max_pixels: int) -> tuple[int, int]:
    """The size to render a picture of ``width`` x ``height`` at: sides that divide by ``multiple_of``, no more than
    ``max_pixels`` and no larger than needed, and of those the closest ratio."""
    scale = min(1.0, math.sqrt(max_pixels / (width * height)))
    least = max(_LEAST_MULTIPLES, math.ceil(_LEAST_SIDE / multiple_of))
    widths, heights = (
        sorted({max(least, rounding(side * scale / multiple_of)) * multiple_of for rounding in (math.floor, math.ceil)})
        for side in (width, height)
    )
    fitting = [size for size in product(widths, heights) if size[0] * size[1] <= max_pixels] or [
        (widths[0], heights[0])
    ]
    return min(fitting, key=lambda size: (abs(math.log(size[0] / size[1] * height / width)), -size[0] * size[1]))


def frames_needed(count: int, fps: int, model_fps: int) -> int:
    """How many frames at ``model_fps`` cover the times of ``count`` frames at ``fps``."""
    return math.ceil((count - 1) * model_fps / fps) + 1


def part_lengths(frames: int, *, frames_step: int, max_frames: int) -> Sequence[int]:
    """How many frames each render makes so that together there are at least ``frames``: ``frames_step * n + 1`` each,
    as even as can be. Every render but the first begins with the last frame of the one before, which counts once."""
    parts = max(1, math.ceil((frames - 1) / (max_frames - 1)))
    steps, rest = divmod(max(parts, math.ceil((frames - 1) / frames_step)), parts)
    return [frames_step * (steps + (number < rest)) + 1 for number in range(parts)]
