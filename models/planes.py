"""Pictures as I420 planes: conversion from and to RGB (BT.709, limited range) and sub-pixel affine warps.

Video is encoded from these planes, so moving them directly costs half of what moving RGB and converting would.
Shared by the engines that make frames and by the pipelines that assemble them.
"""

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.interfaces import I420, RGB, Grey

    Matrix = NDArray[np.float64]  # (2, 3): where in the source an output pixel is taken from

# ITU-R BT.709, 8-bit limited range: the matrix that the video's tags promise to the player.
_KR, _KB = 0.2126, 0.0722
_KG = 1.0 - _KR - _KB
_TO_YUV = np.array(
    [
        [219 * _KR, 219 * _KG, 219 * _KB, 16 * 255],
        [-224 * _KR / (2 * (1 - _KB)), -224 * _KG / (2 * (1 - _KB)), 112, 128 * 255],
        [112, -224 * _KG / (2 * (1 - _KR)), -224 * _KB / (2 * (1 - _KR)), 128 * 255],
    ]
) / np.array([255.0, 255.0, 255.0, 255.0])
_LINEAR = np.linalg.inv(_TO_YUV[:, :3])
_TO_RGB = np.hstack([_LINEAR, -_LINEAR @ _TO_YUV[:, 3:]])


def require_even(width: int, height: int) -> None:
    """Chroma has half the size, so both sides must be even. Raises ValueError."""
    if width % 2 or height % 2:
        raise ValueError(f"a frame's sides must be even, not {width}x{height}")


def planes(frame: "I420") -> "tuple[Grey, Grey, Grey]":
    """Views of the Y, U and V planes of one frame; writing to them writes to the frame."""
    rows, width = frame.shape
    height = rows * 2 // 3
    chroma = frame[height:].reshape(2, height // 2, width // 2)
    return frame[:height], chroma[0], chroma[1]


def empty_frame(width: int, height: int) -> "I420":
    """An uninitialised frame. Raises ValueError for odd sizes."""
    require_even(width, height)
    return np.empty((height * 3 // 2, width), np.uint8)


def rgb_to_planes(image: "RGB") -> "tuple[Grey, Grey, Grey]":
    """Y at full size, U and V at half size (each the mean of 2x2 pixels). Raises ValueError for odd sizes."""
    height, width = image.shape[:2]
    require_even(width, height)
    luma, blue, red = cv2.split(cv2.transform(image, _TO_YUV))
    half = (width // 2, height // 2)
    return (
        luma,
        cv2.resize(blue, half, interpolation=cv2.INTER_AREA),
        cv2.resize(red, half, interpolation=cv2.INTER_AREA),
    )


def rgb_to_i420(image: "RGB") -> "I420":
    """One frame from an RGB picture of even sides."""
    frame = empty_frame(image.shape[1], image.shape[0])
    for target, plane in zip(planes(frame), rgb_to_planes(image), strict=True):
        target[:] = plane
    return frame


def i420_to_rgb(frame: "I420") -> "RGB":
    """The RGB picture of one frame."""
    luma, blue, red = planes(frame)
    size = (luma.shape[1], luma.shape[0])
    full = [luma, *(cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR) for plane in (blue, red))]
    return cv2.transform(cv2.merge(full), _TO_RGB)


def chroma_matrix(matrix: "Matrix") -> "Matrix":
    """The warp of the half-size planes that goes with a warp of the luma plane.

    Chroma sample ``i`` sits in the middle of luma samples ``2i`` and ``2i + 1``, hence the half-pixel terms.
    """
    linear = matrix[:, :2]
    shift = (linear @ np.array([0.5, 0.5]) + matrix[:, 2] - 0.5) / 2
    return np.hstack([linear, shift[:, None]])


def warp_plane(plane: "Grey", matrix: "Matrix", out: "Grey", *, border: int = cv2.BORDER_REPLICATE) -> None:
    """Fill ``out`` with the plane sampled bilinearly at ``matrix @ (x, y, 1)``; the plane's edge pixels go on
    outside of it. ``out`` may be a view of a part of a larger plane."""
    size = (out.shape[1], out.shape[0])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cv2.warpAffine(plane, matrix, size, dst=out, flags=flags, borderMode=border)


def warp_planes(source: "tuple[Grey, Grey, Grey]", matrix: "Matrix", frame: "I420") -> None:
    """Fill a whole frame from source planes of any size; ``matrix`` is in luma pixels, output to source."""
    luma, blue, red = planes(frame)
    warp_plane(source[0], matrix, luma)
    half = chroma_matrix(matrix)
    warp_plane(source[1], half, blue)
    warp_plane(source[2], half, red)
