"""Tiny image-to-video models of every family, from a picture to the frames of a clip."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from models.catalog import CatalogError
from models.device import Device
from models.diffusion.animator import DiffusionAnimator
from models.diffusion.camerawork import video_prompt
from models.interfaces import UserInputError
from models.planes import i420_to_rgb, rgb_to_i420
from models.specs import CameraMovement, VideoSpec
from models.weighted import BadOutputError, BadWeightsError
from pipelines.context import TaskCancelled
from tests.tiny import animators
from tests.unit.models.reports import FakeReport
from tests.unit.models.tiny_entries import entry

if TYPE_CHECKING:
    from models.interfaces import I420, RGB

pytestmark = pytest.mark.xdist_group("torch")

FAMILIES = {
    "tiny-wan": animators.build_wan,
    "tiny-wan-two": animators.build_wan_two,
    "tiny-ltx2": animators.build_ltx2,
    "tiny-hunyuan15": animators.build_hunyuan15,
}
Load = Callable[..., DiffusionAnimator]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    root = tmp_path_factory.mktemp("animators")

    def folder(model_id: str) -> Path:
        if not (root / model_id).exists():
            FAMILIES[model_id](root / model_id)
        return root / model_id

    return folder


@pytest.fixture(scope="module")
def load(folders: Callable[[str], Path]) -> Load:
    """Loaded once for the same options."""
    loaded: dict[str, DiffusionAnimator] = {}

    def loader(model_id: str, **options: Any) -> DiffusionAnimator:
        key = f"{model_id} {options}"
        if key not in loaded:
            model = entry("animators", model_id, **options)
            loaded[key] = DiffusionAnimator(model, folders(model_id), Device("cpu"))
            loaded[key].load()
        return loaded[key]

    return loader


@pytest.fixture(params=FAMILIES)
def animator(request: pytest.FixtureRequest, load: Load) -> DiffusionAnimator:
    return load(request.param)


def picture(seed: int = 0, width: int = 128, height: int = 72) -> "RGB":
    blocks = np.random.default_rng(seed).integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    return np.ascontiguousarray(blocks.repeat(8, 0).repeat(8, 1))


def spec(**fields: Any) -> VideoSpec:
    whole = {"image_key": "x", "prompt": "a cat", "duration_s": 0.5, "fps": 8, "width": 128, "height": 72, "seed": 3}
    return VideoSpec.model_validate(whole | fields)


def film(
    animator: DiffusionAnimator, image: "RGB | None" = None, report: FakeReport | None = None, **fields: Any
) -> "list[I420]":
    given = picture() if image is None else image
    return list(animator.animate(spec(**fields), given, None, report or FakeReport()).frames)


def apart(one: "list[I420]", other: "list[I420]") -> float:
    return float(np.mean([np.abs(a.astype(int) - b).mean() for a, b in zip(one, other, strict=True)]))


@pytest.mark.parametrize(
    ("width", "height", "duration_s", "fps"),
    [(128, 72, 0.5, 8), (130, 98, 0.5, 12), (72, 128, 0.7, 30), (200, 64, 0.3, 24), (64, 64, 0.1, 1)],
)
def test_size_and_count_are_what_was_asked(
    animator: DiffusionAnimator, width: int, height: int, duration_s: float, fps: int
) -> None:
    asked = spec(width=width, height=height, duration_s=duration_s, fps=fps)

    stream = animator.animate(asked, picture(), None, FakeReport())
    frames = list(stream.frames)

    assert (stream.width, stream.height, stream.fps) == (width, height, fps)
    assert len(frames) == stream.count == max(1, round(duration_s * fps))
    assert {frame.shape for frame in frames} == {(height * 3 // 2, width)}
    assert {frame.dtype for frame in frames} == {np.dtype(np.uint8)}


def test_frames_differ_over_time(animator: DiffusionAnimator) -> None:
    frames = film(animator, duration_s=1.0)

    assert all(not np.array_equal(frames[n], frames[n + 1]) for n in range(len(frames) - 1))
    assert min(frame[:72].std() for frame in frames) > 2, "a frame is empty"


def test_picture_matters(animator: DiffusionAnimator) -> None:
    one, other = film(animator, picture(0)), film(animator, picture(1))

    assert apart(one[:1], other[:1]) > 0.2


def test_ltx2_begins_with_the_picture(load: Load) -> None:
    """With random weights it does not look like the picture, but nothing else decides about the first frame."""
    animator = load("tiny-ltx2")
    one, reseeded, other = film(animator), film(animator, seed=4), film(animator, picture(1))

    assert np.array_equal(one[0], reseeded[0])
    assert not np.array_equal(one[0], other[0])
    assert not np.array_equal(one[-1], reseeded[-1])


def test_seed_and_prompt_matter(animator: DiffusionAnimator) -> None:
    frames = film(animator)

    assert apart(frames, film(animator, seed=4)) > 0.2
    assert apart(frames, film(animator, prompt="a storm over the sea at night")) > 0


def test_same_frames_after_another_task(animator: DiffusionAnimator) -> None:
    frames = film(animator, fps=12)
    torch.rand(3)
    film(animator, picture(1), prompt="雨中的街道", seed=9, camera_movement=CameraMovement.ORBIT)

    assert all(np.array_equal(a, b) for a, b in zip(frames, film(animator, fps=12), strict=True))


def test_global_randomness_is_left_alone(animator: DiffusionAnimator) -> None:
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    film(animator)

    assert torch.rand(1) == expected


@pytest.mark.parametrize("movement", [CameraMovement.STATIC, CameraMovement.ORBIT])
def test_camera_words_reach_the_model(load: Load, movement: CameraMovement, monkeypatch: pytest.MonkeyPatch) -> None:
    animator = load("tiny-wan")
    read: list[str] = []
    tokenizer = animator.pipeline.tokenizer
    monkeypatch.setattr(
        animator.pipeline, "tokenizer", lambda texts, **named: read.extend(texts) or tokenizer(texts, **named)
    )
    report = FakeReport()
    film(animator, report=report, prompt=f"a boat {movement}", camera_movement=movement)

    assert report.notes["prompt"] in read
    assert report.notes["prompt"] == video_prompt(spec(prompt=f"a boat {movement}", camera_movement=movement))


def test_what_is_not_read_of_a_prompt_is_noted(animator: DiffusionAnimator) -> None:
    long, short = FakeReport(), FakeReport()
    film(animator, report=long, prompt="a boat drifts past the cliffs, " * 80)
    film(animator, report=short)

    assert all(cut["tokens"] > cut["read"] for cut in long.notes["prompt_cut"])
    assert "prompt_cut" not in short.notes


def test_what_the_model_does_not_understand_is_noted(folders: Callable[[str], Path]) -> None:
    english = entry("animators", "tiny-wan").model_copy(update={"languages": ("en",)})
    animator = DiffusionAnimator(english, folders("tiny-wan"), Device("cpu"))
    animator.load()
    for prompt, noted in (("一条船", "zh"), ("a boat", None)):
        report = FakeReport()
        film(animator, report=report, prompt=prompt)
        assert report.notes.get("language_not_understood") == noted
        assert (
            report.notes["prompt"]
            == f"{prompt}, one continuous shot of 0.5 seconds, the camera swiftly pushes in, dolly in."
        )


def test_frames_come_at_the_films_rate(load: Load) -> None:
    """The frames that both rates have are the same, those between are between."""
    animator = load("tiny-wan")
    own, twice = film(animator, duration_s=1.0), film(animator, duration_s=1.0, fps=16)

    assert len(own) == 8
    assert len(twice) == 16
    for n in range(7):
        assert np.abs(own[n].astype(int) - twice[2 * n]).mean() < 1.0
        nearer = apart([twice[2 * n + 1]], [own[n]]), apart([twice[2 * n + 1]], [own[n + 1]])
        assert max(nearer) < apart([own[n]], [own[n + 1]])


def test_model_is_asked_within_its_limits(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    animator = load("tiny-ltx2")
    calls: list[dict[str, Any]] = []
    render = animator.render
    monkeypatch.setattr(animator, "render", lambda *a, **named: calls.append(named) or render(*a, **named))
    report = FakeReport()
    film(animator, report=report, duration_s=2.5, fps=12, width=320, height=180)

    assert [call["num_frames"] for call in calls] == report.notes["frames"] == [9, 9, 9]
    assert {call["frame_rate"] for call in calls} == {8.0}
    assert [call["seed"] for call in calls] == report.notes["seeds"] == [3, 4, 5]
    for call in calls:
        size = call["width"], call["height"]
        assert size == call["image"].size == (report.notes["width"], report.notes["height"]) == (96, 64)


def test_long_clip_goes_on_from_the_last_frame(animator: DiffusionAnimator, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[RGB] = []
    made: list[RGB] = []
    render = animator.render

    def watched(*arguments: Any, **named: Any) -> Any:
        output = render(*arguments, **named)
        given.append(np.asarray(named["image"]))
        made.append((output.frames[0] * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy())
        return output

    monkeypatch.setattr(animator, "render", watched)
    report = FakeReport()
    frames = film(animator, report=report, duration_s=2.5, width=64, height=64)
    joined = [*made[0], *made[1][1:], *made[2][1:]]

    assert len(frames) == 20
    assert all(np.array_equal(frame, rgb_to_i420(shown)) for frame, shown in zip(frames, joined[:20], strict=True))
    assert len(given) == 3
    assert all(np.array_equal(given[n + 1], made[n][-1]) for n in range(2))
    assert not np.array_equal(given[0], given[1])
    assert report.fractions == sorted(report.fractions)
    assert report.fractions[-1] == 1.0
    assert len([fraction for fraction in set(report.fractions) if 0 < fraction < 1]) >= 5


def test_parts_are_made_as_they_are_read(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    animator = load("tiny-wan")
    renders = []
    render = animator.render
    monkeypatch.setattr(animator, "render", lambda *a, **named: renders.append(1) or render(*a, **named))
    frames = iter(animator.animate(spec(duration_s=4.0), picture(), None, FakeReport()).frames)

    assert not renders
    next(frames)
    assert len(renders) == 1


def test_hunyuan_renders_within_max_pixels(load: Load) -> None:
    own, less = FakeReport(), FakeReport()
    film(load("tiny-hunyuan15", max_pixels=160 * 160), report=own, width=160, height=160)
    film(load("tiny-hunyuan15", max_pixels=70 * 70), report=less, width=160, height=160)

    assert (own.notes["width"], own.notes["height"]) == (96, 96), "more than the model was made for"
    assert (less.notes["width"], less.notes["height"]) == (64, 64)


@pytest.mark.parametrize("width", [64, 96, 130, 200, 400])
def test_hunyuan_keeps_the_size_that_is_noted(load: Load, width: int) -> None:
    animator = load("tiny-hunyuan15")
    report = FakeReport()
    film(animator, report=report, width=width, height=100, duration_s=1.5)

    assert len(report.notes["frames"]) == 2


def test_previews_show_the_clip(animator: DiffusionAnimator) -> None:
    report = FakeReport()
    film(animator, report=report)

    assert report.previews
    assert all(preview.ndim == 3 and preview.shape[2] == 3 for preview in report.previews)
    assert all(max(preview.shape[:2]) <= 128 for preview in report.previews)
    assert "decode" in report.phases


def test_cancel_takes_effect_at_the_step(animator: DiffusionAnimator) -> None:
    frames = film(animator)
    report = FakeReport(cancel_at_call=1)

    with pytest.raises(TaskCancelled):
        film(animator, report=report)

    assert len(report.fractions) == 1
    assert report.fractions[0] < 1
    assert "decode" not in report.phases
    assert all(np.array_equal(a, b) for a, b in zip(frames, film(animator), strict=True))


def test_cancel_while_frames_are_read(load: Load) -> None:
    animator = load("tiny-wan")
    report = FakeReport()
    frames = iter(animator.animate(spec(duration_s=1.0, fps=24), picture(), None, report).frames)
    next(frames)
    report.is_cancelled = True
    read = []

    with pytest.raises(TaskCancelled):
        for frame in frames:
            read.append(frame)  # noqa: PERF402 - extend keeps nothing of what was read before it fails

    assert len(list(frames)) == 0
    assert report.notes["frames"] == [9], "it is another part's step that looked"
    assert len(read) <= 12


@pytest.mark.parametrize("part", ["transformer", "vae"])
def test_nan_is_bad_output(folders: Callable[[str], Path], part: str) -> None:
    animator = DiffusionAnimator(entry("animators", "tiny-wan"), folders("tiny-wan"), Device("cpu"))
    animator.load()
    broken = animator.pipeline.transformer.proj_out if part == "transformer" else animator.pipeline.vae.post_quant_conv
    with torch.no_grad():
        broken.bias.fill_(float("nan"))

    with pytest.raises(BadOutputError, match="not finite"):
        film(animator)


def test_ltx2_goes_by_keyframes_too(load: Load) -> None:
    """The same files, whichever of the pipelines they name."""
    animator = load("tiny-ltx2", pipeline="LTX2ConditionPipeline")
    frames, other = film(animator), film(animator, picture(1))

    assert type(animator.pipeline).__name__ == "LTX2ConditionPipeline"
    assert len(frames) == 4
    assert not np.array_equal(frames[0], other[0])


def test_files_that_name_a_sibling_are_read(folders: Callable[[str], Path], tmp_path: Path) -> None:
    folder = shutil.copytree(folders("tiny-ltx2"), tmp_path / "ltx2")
    index = folder / "model_index.json"
    index.write_text(index.read_text().replace("LTX2ImageToVideoPipeline", "LTX2Pipeline"))
    animator = DiffusionAnimator(entry("animators", "tiny-ltx2"), folder, Device("cpu"))
    animator.check(animator.model, folder)
    animator.load()

    assert len(film(animator)) == 4


def test_a_pipeline_that_looks_at_no_picture_is_refused(folders: Callable[[str], Path]) -> None:
    model = entry("animators", "tiny-ltx2", pipeline="LTX2Pipeline")

    with pytest.raises(CatalogError, match="LTX2ImageToVideoPipeline reads the same files") as caught:
        DiffusionAnimator.check(model, folders("tiny-ltx2"))
    assert (caught.value.field, caught.value.model_id) == ("options.pipeline", "tiny-ltx2")


def test_wan_sees_and_decodes_in_32_bits(load: Load) -> None:
    animator = load("tiny-wan", dtype="bfloat16")
    parts = animator.pipeline.components
    kept = {name: part.dtype for name, part in parts.items() if isinstance(part, torch.nn.Module)}

    assert kept == {
        "vae": torch.float32,
        "image_encoder": torch.float32,
        "transformer": torch.bfloat16,
        "text_encoder": torch.bfloat16,
    }
    frames = film(animator)
    assert len(frames) == 4
    assert apart(frames, film(load("tiny-wan"))) < 12, "in fewer bits it shows nearly the same"


def test_hunyuan_decodes_in_tiles_on_any_card(load: Load) -> None:
    assert load("tiny-hunyuan15").pipeline.vae.use_tiling
    assert not load("tiny-wan").pipeline.vae.use_tiling


@pytest.mark.parametrize("name", ["FlowMatchEulerDiscreteScheduler", "DPMSolverMultistepScheduler"])
def test_wan_by_another_scheduler(load: Load, name: str) -> None:
    animator = load("tiny-wan", scheduler={"name": name})
    config = animator.pipeline.scheduler.config

    assert type(animator.pipeline.scheduler).__name__ == name
    assert config.get("shift", config.get("flow_shift")) == 3.0
    assert config.get("use_flow_sigmas", True)
    assert apart(film(animator), film(load("tiny-wan"))) > 0


def test_each_of_two_transformers_gets_its_own_lora(load: Load, tmp_path: Path) -> None:
    torch.manual_seed(0)
    layer = "blocks.0.attn1.to_q"
    halves = {}
    for name in ("transformer", "transformer_2"):
        halves[name] = torch.randn(2, 24), torch.randn(24, 2)
        tensors = {
            f"transformer.{layer}.lora_{part}.weight": half for part, half in zip("AB", halves[name], strict=True)
        }
        save_file(tensors, tmp_path / f"{name}.safetensors")
    loras = [
        {"path": str(tmp_path / f"{name}.safetensors"), "into": name, "measured_cost": "none yet"} for name in halves
    ]
    plain, changed = load("tiny-wan-two").pipeline, load("tiny-wan-two", lora=loras).pipeline

    for name, (down, up) in halves.items():
        before, after = (getattr(one, name).get_submodule(layer).weight for one in (plain, changed))
        torch.testing.assert_close(after, before + up @ down)


def test_odd_side_is_the_users(load: Load) -> None:
    with pytest.raises(UserInputError, match="odd side"):
        load("tiny-wan").animate(spec(width=129), picture(), None, FakeReport())


def test_second_transformer_is_used(load: Load) -> None:
    animator = load("tiny-wan-two")
    used = [0, 0]
    for number, module in enumerate((animator.pipeline.transformer, animator.pipeline.transformer_2)):
        hook = module.register_forward_pre_hook(lambda *_, number=number: used.__setitem__(number, used[number] + 1))
        film(animator)
        hook.remove()

    assert min(used) > 0


def test_negative_prompt_of_the_catalog_matters(load: Load) -> None:
    plain = film(load("tiny-wan"))

    assert apart(plain, film(load("tiny-wan", arguments={"negative_prompt": "blurry"}))) > 0


def test_guidance_of_the_catalog_matters(animator: DiffusionAnimator, load: Load) -> None:
    other = load(animator.model.id, guidance_scale=1.5)

    assert apart(film(animator), film(other)) > 0


def test_pipeline_of_no_family(folders: Callable[[str], Path]) -> None:
    model = entry("animators", "tiny-wan", pipeline="WanPipeline")

    with pytest.raises(CatalogError, match="WanPipeline is none of"):
        DiffusionAnimator(model, folders("tiny-wan"), Device("cpu")).load()


def test_missing_package_is_named(folders: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.diffusion.animator.find_spec", lambda name: None)

    with pytest.raises(CatalogError, match="needs the package ftfy"):
        DiffusionAnimator(entry("animators", "tiny-wan"), folders("tiny-wan"), Device("cpu")).load()


def test_other_files_are_refused(folders: Callable[[str], Path]) -> None:
    with pytest.raises(BadWeightsError, match="the catalog says"):
        DiffusionAnimator(entry("animators", "tiny-ltx2"), folders("tiny-wan"), Device("cpu")).load()


def test_weights_go_and_come_back(folders: Callable[[str], Path]) -> None:
    animator = DiffusionAnimator(entry("animators", "tiny-wan"), folders("tiny-wan"), Device("cpu"))
    animator.load()
    frames = film(animator)
    assert animator.weight_bytes > 0
    animator.park()
    animator.resume()

    assert all(np.array_equal(a, b) for a, b in zip(frames, film(animator), strict=True))
    animator.unload()
    assert animator.weight_bytes == 0


def test_thumbnail_of_the_frames_is_a_picture(load: Load) -> None:
    """The planes are what the encoder reads: converted to RGB they have all of the model's levels."""
    pixels = i420_to_rgb(film(load("tiny-wan"))[2])

    assert pixels.shape == (72, 128, 3)
    assert pixels.std() > 2
