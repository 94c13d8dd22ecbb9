"""The size of a task grows with what it has to make."""

import pytest
from pydantic import BaseModel

from models import specs
from scheduler.estimates import units_of

STYLE = specs.ArtStyle(style_name="ink")


def video(duration_s: float) -> specs.VideoSpec:
    return specs.VideoSpec(image_key="k", duration_s=duration_s, fps=24, width=1280, height=720)


def film(seconds: float) -> specs.EncodeSpec:
    clips = [specs.FilmClip(kind="image", media_key="k", start_s=0, duration_s=seconds)]
    return specs.EncodeSpec(title="t", language="en", width=1280, height=720, fps=24, clips=clips)


@pytest.mark.parametrize(
    ("kind", "small", "large", "ratio"),
    [
        ("image_to_video", video(2), video(6), 3),
        ("encode", film(10), film(40), 4),
        ("music", specs.MusicSpec(duration_s=10), specs.MusicSpec(duration_s=20), 2),
        (
            "text_to_image",
            specs.ImageSpec(prompt="p", width=512, height=512, style=STYLE),
            specs.ImageSpec(prompt="p", width=1024, height=1024, style=STYLE),
            4,
        ),
        (
            "speech",
            specs.SpeechSpec(text="x" * 10, language="en", voice="v"),
            specs.SpeechSpec(text="x" * 50, language="en", voice="v"),
            5,
        ),
        (
            "script",
            specs.ScriptSpec(step=specs.ScriptStep.SCENES, input_type="text", content="x" * 100),
            specs.ScriptSpec(step=specs.ScriptStep.SCENES, input_type="text", content="x" * 100, documents=["y" * 100]),
            2,
        ),
    ],
)
def test_units_follow_the_size(kind: str, small: BaseModel, large: BaseModel, ratio: float) -> None:
    assert units_of(kind, large) == pytest.approx(ratio * units_of(kind, small))


def test_nothing_is_of_no_size() -> None:
    assert units_of("speech", specs.SpeechSpec(text="", language="en", voice="v")) > 0
