"""A clip made from one picture."""

from pydantic import Field

from models.specs.base import Result, Seed, Spec, StoredArtifact
from models.specs.choices import CameraMovement


class VideoSpec(Spec):
    """A clip made from one image. ``depth_key``: an 8-bit grey PNG, white is near; without it the model guesses."""

    image_key: str
    depth_key: str | None = None
    prompt: str = ""
    camera_movement: CameraMovement = CameraMovement.PUSH_IN
    duration_s: float = Field(gt=0, le=120)
    fps: int = Field(ge=1, le=120)
    width: int = Field(ge=64, le=4096)
    height: int = Field(ge=64, le=4096)
    seed: Seed = 0


class VideoResult(Result):
    video: StoredArtifact
    thumbnail: StoredArtifact
    duration_s: float
    fps: int
    width: int
    height: int
