"""A picture with alpha laid over I420 frames: only the planes' rectangle under it is touched."""

from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.planes import planes, rgb_to_planes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.interfaces import I420
    from pipelines.media.text import RGBA


class Overlay:
    """``picture`` is RGBA with straight alpha and even sides; its top left corner lies at ``(left, top)``,
    which are rounded down to even. What sticks out of a frame of ``width`` x ``height`` is cut off."""

    def __init__(self, picture: "RGBA", left: int, top: int, width: int, height: int) -> None:
        left, top = left // 2 * 2, top // 2 * 2
        picture = picture[max(0, -top) : height - top, max(0, -left) : width - left]
        self.left, self.top = max(0, left), max(0, top)
        rgb, alpha = np.ascontiguousarray(picture[..., :3]), np.ascontiguousarray(picture[..., 3])
        self.height, self.width = alpha.shape
        half = cv2.resize(alpha, (self.width // 2, self.height // 2), interpolation=cv2.INTER_AREA)
        self._layers: list[tuple[NDArray[np.uint16], NDArray[np.uint16]]] = []
        for plane, opacity in zip(rgb_to_planes(rgb), (alpha, half, half), strict=True):
            wide = opacity.astype(np.uint16)
            self._layers.append((255 - wide, plane.astype(np.uint16) * wide + 128))

    def blend(self, frame: "I420") -> None:
        """Draw into the frame in place."""
        for number, (plane, (keep, add)) in enumerate(zip(planes(frame), self._layers, strict=True)):
            by = 1 if number == 0 else 2
            rows, columns = keep.shape
            top, left = self.top // by, self.left // by
            area = plane[top : top + rows, left : left + columns]
            mixed = area * keep
            mixed += add
            # (x + x / 256) / 256 is x / 255 to within a rounding, in 16 bits.
            mixed += mixed >> 8
            area[:] = mixed >> 8
