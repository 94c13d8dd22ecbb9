"""A still picture cut into layers by its depth, so that a camera move shows near things passing before far ones.

The ground is one picture from which whatever stands in front was taken out and filled in; it bends at the horizon, so
that a floor or a sea tilts with the camera. What stands in front lies over it in a few cut-outs with soft edges. Each
layer moves by one affine warp of its I420 planes, which keeps lines straight and costs little.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.camera import View
from models.planes import chroma_matrix, empty_frame, planes, rgb_to_planes, warp_plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.interfaces import I420, RGB, Grey
    from models.planes import Matrix

_STANDS_OUT = 22  # grey levels of depth in front of the ground at the same height
_SMALLEST_SHARE = 0.002  # of the picture; smaller cut-outs are left on the ground
_THINGS_IN_A_GROUP = 4
_CLOSE = 0.8  # depth from which a thing is somebody at the frame's edge rather than a wall
_RIM = 0.006  # of the short side
_FILL_SHORT_SIDE = 180  # pixels; what is filled in shows as a narrow edge only


@dataclass(frozen=True)
class _CutOut:
    """Planes premultiplied with the layer's opacity, and what they let through; ``left`` and ``top`` are even."""

    near: float  # 0 far to 1 near
    left: int
    top: int
    planes: "tuple[Grey, Grey, Grey]"
    through: "tuple[Grey, Grey]"  # for luma and for chroma; 255 is transparent


@dataclass(frozen=True)
class _Ground:
    """Depth by row: ``far`` down to row ``horizon``, from there evenly to ``near`` at the last row."""

    planes: "tuple[Grey, Grey, Grey]"
    horizon: int
    far: float
    near: float


class Layers:
    """A picture ready to be looked at from many views. ``image`` has even sides; ``depth`` of any size or None."""

    def __init__(self, image: "RGB", depth: "Grey | None") -> None:
        height, width = image.shape[:2]
        self.size = (width, height)
        if depth is None:
            self._ground = _Ground(rgb_to_planes(image), round(height * 0.45), 0.1, 0.75)
            self._cut_outs: list[_CutOut] = []
            return
        depth = cv2.resize(depth, self.size, interpolation=cv2.INTER_LINEAR)
        profile = _row_profile(depth)
        front = np.clip(depth.astype(np.int16) - profile[:, None].astype(np.int16), 0, 255).astype(np.uint8)
        masks = _masks(front, depth)
        horizon, far, near = _fit(profile)
        filled = _fill(image, np.maximum.reduce([mask for _, mask in masks])) if masks else image
        self._ground = _Ground(rgb_to_planes(filled), horizon, far, near)
        self._cut_outs = [_cut_out(image, level, mask) for level, mask in masks]

    def look(self, view: View, output: "tuple[int, int]", lift: float = 0.0) -> "I420":
        """The frame of ``output`` (width, height) seen from a view. ``lift`` raises the near layers by that
        fraction of the height at the most, as breathing does. The frame is new and belongs to the caller."""
        frame = empty_frame(*output)
        self._draw_ground(view, frame, output)
        for layer in self._cut_outs:
            self._draw_cut_out(layer, view, frame, output, lift)
        return frame

    def _matrix(self, view: View, near: float, output: "tuple[int, int]", lift: float = 0.0) -> "Matrix":
        grown = View(
            zoom=view.zoom * (1 + view.dolly * near),
            x=view.x + view.shift_x * near,
            y=view.y + view.shift_y * near + lift * near,
            roll=view.roll,
        )
        return grown.matrix(self.size, output)

    def _draw_ground(self, view: View, frame: "I420", output: "tuple[int, int]") -> None:
        """Above the horizon the far view; below it a shear and a stretch that start from nothing at the horizon,
        so the two parts meet without a seam."""
        ground = self._ground
        upper = self._matrix(view, ground.far, output)
        tilt = self._matrix(view, ground.near, output)
        height = self.size[1]
        depth_span = max(1, height - 1 - ground.horizon)
        # Where the nearest row of the ground lies on the far view, against where the near view would show it.
        source = np.array([(self.size[0] - 1) / 2, height - 1.0])
        far_xy = _invert(upper, source)
        near_xy = _invert(tilt, source)
        horizon_xy = _invert(upper, np.array([(self.size[0] - 1) / 2, float(ground.horizon)]))
        drop = far_xy[1] - horizon_xy[1]
        shear = (near_xy[0] - far_xy[0]) / drop if depth_span > 1 and drop > 1 else 0.0
        stretch = (near_xy[1] - horizon_xy[1]) / drop if depth_span > 1 and drop > 1 else 1.0
        stretch = min(1.35, max(0.8, stretch))
        cut = int(np.clip(round(horizon_xy[1] / 2) * 2, 0, output[1]))
        # output (x, y) -> the same place on the far view: undo the shear and the stretch about the horizon.
        undo = np.array(
            [
                [1.0, -shear / stretch, shear / stretch * horizon_xy[1]],
                [0.0, 1 / stretch, horizon_xy[1] * (1 - 1 / stretch)],
                [0.0, 0.0, 1.0],
            ]
        )
        lower = upper @ undo
        for index, (plane, target) in enumerate(zip(ground.planes, planes(frame), strict=True)):
            top, bottom = (upper, lower) if index == 0 else (chroma_matrix(upper), chroma_matrix(lower))
            row = cut if index == 0 else cut // 2
            if row > 0:
                warp_plane(plane, top, target[:row])
            if row < target.shape[0]:
                warp_plane(plane, _offset(bottom, 0, row), target[row:])

    def _draw_cut_out(self, layer: _CutOut, view: View, frame: "I420", output: "tuple[int, int]", lift: float) -> None:
        matrix = self._matrix(view, layer.near, output, lift)
        rows, columns = layer.planes[0].shape
        spans = np.array([[0, 0], [columns, 0], [0, rows], [columns, rows]])
        corners = spans + np.array([layer.left, layer.top])
        seen = np.array([_invert(matrix, corner.astype(float)) for corner in corners])
        # A layer that reaches the picture's edge goes on beyond it, as the ground does.
        left = 0 if layer.left == 0 else max(0, int(seen[:, 0].min()) // 2 * 2)
        top = 0 if layer.top == 0 else max(0, int(seen[:, 1].min()) // 2 * 2)
        right = output[0] if layer.left + columns >= self.size[0] else int(seen[:, 0].max()) // 2 * 2 + 2
        bottom = output[1] if layer.top + rows >= self.size[1] else int(seen[:, 1].max()) // 2 * 2 + 2
        right, bottom = min(output[0], right), min(output[1], bottom)
        if right <= left or bottom <= top:
            return
        luma, *chroma = zip(layer.planes, planes(frame), strict=True)
        for step, pairs in ((1, [luma]), (2, chroma)):
            local = _offset(matrix if step == 1 else chroma_matrix(matrix), left // step, top // step)
            local[:, 2] -= (layer.left // step, layer.top // step)
            through = np.empty(((bottom - top) // step, (right - left) // step), np.uint8)
            moved = np.empty_like(through)
            warp_plane(layer.through[step - 1], local, through)
            for plane, target in pairs:
                part = target[top // step : bottom // step, left // step : right // step]
                warp_plane(plane, local, moved)
                cv2.multiply(part, through, dst=part, scale=1 / 255)
                cv2.add(part, moved, dst=part)


def _invert(matrix: "Matrix", point: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """The output pixel that shows a source pixel."""
    return np.asarray(np.linalg.solve(matrix[:, :2], point - matrix[:, 2]), np.float64)


def _offset(matrix: "Matrix", left: int, top: int) -> "Matrix":
    """The same warp for a part of the output that starts at (left, top)."""
    moved = matrix.copy()
    moved[:, 2] += matrix[:, :2] @ np.array([left, top], float)
    return moved


def _row_profile(depth: "Grey") -> "NDArray[np.float64]":
    """The ground's depth by row: the far part of what the row shows, never falling on the way down."""
    low = np.percentile(depth, 20, axis=1)
    return np.maximum.accumulate(cv2.blur(low.reshape(-1, 1), (1, 9)).ravel())


def _fit(profile: "NDArray[np.float64]") -> tuple[int, float, float]:
    """The row at which the ground starts to come nearer, and its depth (0 to 1) above it and at the last row."""
    far, near = float(profile[0]), float(profile[-1])
    if near - far < 12:
        return len(profile) - 1, far / 255, near / 255
    horizon = int(np.argmax(profile > far + 0.12 * (near - far)))
    return min(horizon, len(profile) - 2), far / 255, near / 255


def _masks(front: "Grey", depth: "Grey") -> "list[tuple[float, Grey]]":
    """The opacity of each thing that stands out, with its depth (0 to 1), far to near. They are a little wider than
    what stands out, since the pixels along an edge mix both sides."""
    out = (front > _STANDS_OUT).astype(np.uint8)
    smallest = _SMALLEST_SHARE * out.size
    if np.count_nonzero(out) < smallest:
        return []
    levels = depth[out > 0]
    low, high = int(levels.min()), int(levels.max())
    near = out & (depth > (low + high) / 2) if high - low >= 36 else out
    # A soft depth map passes through middle levels along every edge: those lines belong to the near thing.
    far = cv2.morphologyEx(out & (1 - cv2.dilate(near, _square(7))), cv2.MORPH_OPEN, _square(5))
    masks = []
    for group in (far, near):
        count, labels, stats, _ = cv2.connectedComponentsWithStats(cv2.dilate(group, _square(5)))
        things = [index for index in range(1, count) if stats[index, cv2.CC_STAT_AREA] >= smallest]
        things.sort(key=lambda index: (-int(stats[index, cv2.CC_STAT_AREA]), index))
        for index in things[:_THINGS_IN_A_GROUP]:
            mask = np.where(labels == index, np.uint8(255), np.uint8(0))
            level = float(np.median(depth[(mask > 0) & (group > 0)])) / 255
            # Walls that lead out of the picture are its ground: cut out, they would show an edge for no gain.
            if level > _CLOSE or _stands_free(stats[index], depth.shape[1]):
                masks.append((level, cv2.GaussianBlur(mask, (5, 5), 0)))
    return sorted(masks, key=lambda pair: pair[0])


def _stands_free(stats: "NDArray[np.int32]", width: int) -> bool:
    left = int(stats[cv2.CC_STAT_LEFT])
    return left > 0 and left + int(stats[cv2.CC_STAT_WIDTH]) < width


def _square(side: int) -> "Grey":
    return np.ones((side, side), np.uint8)


def _fill(image: "RGB", mask: "Grey") -> "RGB":
    """The picture with what the mask covers replaced by its surroundings, by normalised convolution over a
    pyramid: every hole is filled from the nearest scale that knows something of it."""
    height, width = image.shape[:2]
    scale = min(1.0, _FILL_SHORT_SIDE / min(width, height))
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    # Outlines, rims of light and soft edges of what is taken out reach beyond it; none of them may stay behind.
    hole = cv2.dilate(mask, _square(2 * round(min(width, height) * _RIM) + 1))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    known = (cv2.resize(hole, size, interpolation=cv2.INTER_AREA) == 0).astype(np.float32)
    colour, weight = small * known[..., None], known
    levels = [(colour, weight)]
    while min(weight.shape) > 2 and not (weight > 0).all():
        colour, weight = cv2.pyrDown(colour), cv2.pyrDown(weight)
        levels.append((colour, weight))
    filled = levels[-1][0] / np.maximum(levels[-1][1], 1e-3)[..., None]
    for colour, weight in reversed(levels[:-1]):
        wider = cv2.resize(filled, (weight.shape[1], weight.shape[0]), interpolation=cv2.INTER_LINEAR)
        share = np.clip(weight * 1.5, 0, 1)[..., None]
        filled = share * (colour / np.maximum(weight, 1e-3)[..., None]) + (1 - share) * wider
    ground = cv2.resize(np.clip(filled, 0, 255).astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
    soft = cv2.blur(cv2.dilate(hole, _square(5)), (5, 5)).astype(np.float32)[..., None] / 255
    return (image * (1 - soft) + ground * soft + 0.5).astype(np.uint8)


def _cut_out(image: "RGB", level: float, mask: "Grey") -> _CutOut:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    # A clear rim of a few pixels, so that what the warp repeats beyond the layer's edge is clear as well.
    left, top = max(0, int(columns[0]) - 6) // 2 * 2, max(0, int(rows[0]) - 6) // 2 * 2
    right = min(mask.shape[1], (int(columns[-1]) + 8) // 2 * 2)
    bottom = min(mask.shape[0], (int(rows[-1]) + 8) // 2 * 2)
    part, opacity = image[top:bottom, left:right], mask[top:bottom, left:right]
    luma, blue, red = rgb_to_planes(np.ascontiguousarray(part))
    half = cv2.resize(opacity, (blue.shape[1], blue.shape[0]), interpolation=cv2.INTER_AREA)
    return _CutOut(
        near=level,
        left=left,
        top=top,
        planes=(
            cv2.multiply(luma, opacity, scale=1 / 255),
            cv2.multiply(blue, half, scale=1 / 255),
            cv2.multiply(red, half, scale=1 / 255),
        ),
        through=(255 - opacity, 255 - half),
    )
