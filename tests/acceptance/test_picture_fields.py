"""Every edit of a clip, and the wish for its video, changes the decoded film: clips are compared before and after."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.acceptance.film import Film, decode, difference
from tests.acceptance.listener import Listener
from tests.acceptance.product import Api, Server
from tests.contract.fields import shows

pytestmark = pytest.mark.timeout(400)

BOARD = "镜号,景别,场景,画面,时长,运镜,转场\n" + "".join(
    f"{number},中景,{place},{place}里的安安,1,固定,切\n"
    for number, place in enumerate(("傍晚的海边", "雨夜的街道", "清晨的森林", "温暖的小店", "雪山", "花园"), start=1)
)
NEUTRAL = {
    "crop_x": 0.0,
    "crop_y": 0.0,
    "crop_width": 1.0,
    "crop_height": 1.0,
    "zoom_level": 1.0,
    "pan_x": 0.0,
    "pan_y": 0.0,
    "rotation": 0.0,
    "filter_type": "none",
    "filter_intensity": 1.0,
    "transform_params": {"flip_horizontal": False, "flip_vertical": False},
    "transition": "cut",
    "camera_movement": "static",
}
SEEN = 3.0
"""Mean difference, in levels of 255, that nobody overlooks; two encodes of the same picture stay below 1."""

# Each edit of a round is on a clip of its own, so that one export shows them all.
ROUNDS: dict[str, dict[int, dict[str, Any]]] = {
    "plain": {},
    "shapes": {
        0: {"zoom_level": 2.0},
        1: {"crop_x": 0.4},
        2: {"crop_y": 0.4},
        3: {"crop_width": 0.5},
        4: {"crop_height": 0.5},
        5: {"rotation": 20.0},
    },
    "turns": {
        0: {"zoom_level": 2.0, "pan_x": 0.2},
        1: {"filter_type": "sepia"},
        2: {"transition": "fade_white", "transition_duration": 0.1},
        3: {"transform_params": {"flip_horizontal": True}},
        4: {"transform_params": {"flip_vertical": True}},
        5: {"camera_movement": "pan_left"},
    },
    "times": {
        0: {"zoom_level": 2.0, "pan_y": 0.2},
        1: {"filter_type": "sepia", "filter_intensity": 0.3},
        2: {"transition": "fade_white", "transition_duration": 0.4},
        5: {"duration": 2.0},
    },
}


@dataclass
class Round:
    film: Film
    clips: list[dict[str, Any]]

    def clip(self, number: int, part: float = 0.5) -> np.ndarray:
        """The picture at a part of a clip's time."""
        clip = self.clips[number]
        return self.film.at(clip["start_time"] + part * clip["duration"])


@pytest.fixture(scope="module")
def editor(server: Server) -> tuple[Api, str]:
    """A user with a project of six short clips without speech."""
    api = server.new_user("editor")
    project = api.submit(BOARD, input_type="storyboard")
    api.wait_for_materials(project)
    return api, project


@pytest.fixture(scope="module")
def rounds(editor: tuple[Api, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Round]:
    """The project's film with each round's edits."""
    api, project = editor
    folder = tmp_path_factory.mktemp("rounds")
    clips = api.get(f"/projects/{project}/timeline")["clips"]
    assert len(clips) == 6
    timelines, running = {}, {}
    for name, edits in ROUNDS.items():
        for number, clip in enumerate(clips):
            edit = dict(edits.get(number, {}))
            if duration := edit.pop("duration", None):
                api.put(f"/timeline-clips/{clip['id']}/duration", {"duration": duration})
            api.put(f"/timeline-clips/{clip['id']}/edit-config", NEUTRAL | edit)
        timelines[name] = api.get(f"/projects/{project}/timeline")["clips"]
        running[name] = api.start_export(project, name, subtitle={"enabled": False, "burn_in": False})
    made = {}
    for name, export in running.items():
        api.wait_for_export(export)
        made[name] = Round(decode(api.exported(project, name, folder)["video"]), timelines[name])
    return made


@shows(
    "PUT /timeline-clips/{clip_id}/edit-config",
    "zoom_level",
    "crop_x",
    "crop_y",
    "crop_width",
    "crop_height",
    "rotation",
    "pan_x",
    "pan_y",
    "filter_type",
    "filter_intensity",
    "transform_params.flip_horizontal",
    "transform_params.flip_vertical",
    "camera_movement",
)
@pytest.mark.parametrize(
    ("field", "clip", "one", "other", "part"),
    [
        ("zoom_level", 0, "shapes", "plain", 0.5),
        ("crop_x", 1, "shapes", "plain", 0.5),
        ("crop_y", 2, "shapes", "plain", 0.5),
        ("crop_width", 3, "shapes", "plain", 0.5),
        ("crop_height", 4, "shapes", "plain", 0.5),
        ("rotation", 5, "shapes", "plain", 0.5),
        ("pan_x", 0, "turns", "shapes", 0.5),
        ("pan_y", 0, "times", "shapes", 0.5),
        ("filter_type", 1, "turns", "plain", 0.5),
        ("filter_intensity", 1, "times", "turns", 0.5),
        ("flip_horizontal", 3, "turns", "plain", 0.5),
        ("flip_vertical", 4, "turns", "plain", 0.5),
        ("camera_movement", 5, "turns", "plain", 0.9),
    ],
)
def test_edit_is_seen(rounds: dict[str, Round], field: str, clip: int, one: str, other: str, part: float) -> None:
    assert difference(rounds[one].clip(clip, part), rounds[other].clip(clip, part)) > SEEN


@pytest.mark.parametrize("clip", [3, 4])
def test_a_clip_that_was_not_edited_is_the_same(rounds: dict[str, Round], clip: int) -> None:
    """Which shows that the differences above are the edits'."""
    assert difference(rounds["times"].clip(clip, 0.8), rounds["plain"].clip(clip, 0.8)) < SEEN / 2


def test_flips_are_mirrors(rounds: dict[str, Round]) -> None:
    for clip, axis in ((3, 1), (4, 0)):
        plain, flipped = rounds["plain"].clip(clip), rounds["turns"].clip(clip)
        assert difference(np.flip(flipped, axis), plain) < difference(flipped, plain) / 2


def test_a_filter_of_less_intensity_lies_between(rounds: dict[str, Round]) -> None:
    plain, whole, part = (rounds[name].clip(1) for name in ("plain", "turns", "times"))
    assert difference(part, plain) < 0.6 * difference(whole, plain)


@shows("PUT /timeline-clips/{clip_id}/edit-config", "transition", "transition_duration")
def test_transition_and_its_duration(rounds: dict[str, Round]) -> None:
    """A transition is seen at the clip's end and overlaps the clips by its duration."""
    plain, short, long = (rounds[name] for name in ("plain", "turns", "times"))
    overlap = [made.clips[2]["end_time"] - made.clips[3]["start_time"] for made in (plain, short, long)]
    assert overlap == pytest.approx([0.0, 0.1, 0.4], abs=0.05)
    cut, white = plain.clips[2]["end_time"] - 0.2, long.clips[2]["end_time"] - 0.2
    assert long.film.at(white).mean() > plain.film.at(cut).mean() + 10
    for made in (plain, short, long):
        assert made.film.duration_s == pytest.approx(made.clips[-1]["end_time"], abs=0.05)


@shows("PUT /timeline-clips/{clip_id}/duration", "duration")
def test_duration(rounds: dict[str, Round]) -> None:
    plain, longer = rounds["plain"].film, rounds["times"].film
    assert longer.duration_s == pytest.approx(plain.duration_s - 0.4 + 1.0, abs=0.1)


@shows("POST /timeline-clips/{clip_id}/generate-video", "prompt")
def test_the_prompt_of_a_video(editor: tuple[Api, str], tmp_path: Path) -> None:
    """Snow that is asked for falls: few pixels, but those change for all to see."""
    api, project = editor
    clip = api.get(f"/projects/{project}/timeline")["clips"][5]
    model = next(model for model in api.get("/input/options")["models"]["image_to_video"] if model["is_default"])["id"]
    last = []
    with Listener(api, project).listening() as listener:
        for prompt in ("晴朗的天空", "下起了大雪"):
            path = f"/timeline-clips/{clip['id']}/generate-video"
            generation = api.post(path, {"model_id": model, "prompt": prompt})["generation_id"]
            done = listener.wait_for("video.completed", generation_id=generation)
            video = tmp_path / f"{generation}.mp4"
            video.write_bytes(api.wait_for_file(done["data"]["video_url"]))
            last.append(decode(video, sound=False).frames[-1].astype(np.float32))
    assert np.percentile(np.abs(last[0] - last[1]), 99) > 15


@pytest.mark.parametrize("kind", ["character", "scene"])
def test_the_wish_for_another_picture(editor: tuple[Api, str], kind: str) -> None:
    """`user_prompt` changes the picture there is, `prompt` makes one of something else."""
    api, project = editor
    package = api.get(f"/generation/progress/{project}")["material_package_id"]
    element = api.get(f"/material-packages/{package}")["materials"][f"{kind}s"][0]
    before = element["images"][0]
    answers = [
        api.post(
            f"/material-packages/{package}/regenerate/image",
            {"element_type": kind, "element_id": element["id"], **wish},
        )
        for wish in (
            {"user_prompt": "更亮一些"},
            {"user_prompt": "换成蓝色"},
            {"user_prompt": "换成蓝色", "prompt": "穿红色长裙的老奶奶，沙漠，正午"},
        )
    ]
    pictures = {api.wait_for_file(url) for url in (before["image_url"], *(answer["image_url"] for answer in answers))}
    assert len(pictures) == 4
