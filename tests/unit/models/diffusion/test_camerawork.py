"""The words of a camera's move."""

from typing import Any

import pytest

from models.diffusion.camerawork import video_prompt
from models.specs import CameraMovement, VideoSpec


def prompt(**fields: Any) -> str:
    whole = {"image_key": "x", "prompt": "a boat", "duration_s": 4.0, "fps": 24, "width": 64, "height": 64}
    return video_prompt(VideoSpec.model_validate(whole | fields))


@pytest.mark.parametrize("words", ["a boat", "一条船"])
def test_every_move_has_words_of_its_own(words: str) -> None:
    assert len({prompt(prompt=words, camera_movement=movement) for movement in CameraMovement}) == len(CameraMovement)


def test_words_follow_the_language() -> None:
    assert prompt(camera_movement="push_in") == (
        "a boat, one continuous shot of 4 seconds, the camera steadily pushes in, dolly in."
    )
    assert prompt(prompt="雨中的街道。", camera_movement="pan_left") == "雨中的街道，4秒的连贯长镜头，镜头平稳向左摇。"
    assert prompt(prompt="李明 walks into a bar", camera_movement="pan_left").endswith("pans to the left.")


def test_a_language_may_be_asked_for() -> None:
    spec = VideoSpec(image_key="x", prompt="一条船", duration_s=4.0, fps=24, width=64, height=64)
    assert (
        video_prompt(spec, "en") == "一条船, one continuous shot of 4 seconds, the camera steadily pushes in, dolly in."
    )


def test_duration_sets_the_pace() -> None:
    assert "swiftly pans" in prompt(camera_movement="pan_left", duration_s=2.0)
    assert "slowly pans" in prompt(camera_movement="pan_left", duration_s=8.0)
    assert "快速" in prompt(prompt="一条船", camera_movement="orbit", duration_s=1.5)
    assert "缓缓" in prompt(prompt="一条船", camera_movement="orbit", duration_s=7.0)
    assert "7.5 seconds" in prompt(duration_s=7.5)


def test_no_prompt_is_no_comma() -> None:
    assert prompt(prompt="", camera_movement="static").startswith("One continuous shot of 4 seconds, static camera")
