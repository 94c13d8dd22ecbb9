"""Whether a shot's characters look like their sheets, and what is done where they do not."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.catalog import HelperKind
from models.interfaces import Adapter, PaintedImage
from models.options import PainterOptions
from models.specs import ArtStyle, Framing, ImageSpec, Subject
from pipelines import text_to_image
from pipelines.context import LocalContext, TaskCancelled
from pipelines.identity import Judge, Limits, best_of, judge_of, limits_of, seed_of_try, views
from pipelines.media import frames

pytestmark = pytest.mark.xdist_group("torch")

RED, GREEN, BLUE = (200, 40, 40), (40, 200, 40), (40, 40, 200)


class ColourEmbedder:
    """A picture is its mean colour."""

    def __init__(self) -> None:
        self.calls = 0

    def embed(self, images: Sequence[np.ndarray]) -> np.ndarray:
        self.calls += 1
        means = np.array([image.reshape(-1, 3).mean(axis=0) for image in images], dtype=np.float32)
        return means / np.linalg.norm(means, axis=1, keepdims=True)


def plain(colour: tuple[int, int, int], width: int = 64, height: int = 64) -> np.ndarray:
    """With a little grain: a picture that is all one colour counts as blank."""
    rng = np.random.default_rng(sum(colour))
    return np.clip(np.array(colour) + rng.integers(-30, 31, (height, width, 3)), 0, 255).astype(np.uint8)


class Painter:
    """Paints one of its pictures after another, and remembers the seeds."""

    def __init__(self, pictures: Sequence[np.ndarray], **options: Any) -> None:
        self.options = PainterOptions(pipeline="TinyPipeline", steps=1, **options)
        self._pictures = list(pictures)
        self.seeds: list[int] = []

    def paint(self, spec: ImageSpec, images: Any, report: Any) -> PaintedImage:
        self.seeds.append(spec.seed)
        report(0.5)
        report.note(seed=spec.seed, prompt=spec.prompt)
        report(1.0)
        return PaintedImage(self._pictures[len(self.seeds) - 1])


def spec_of(root: Path, *sheets: tuple[int, int, int], **changes: Any) -> ImageSpec:
    subjects = []
    for number, colour in enumerate(sheets):
        frames.save_png(root / f"sheet{number}.png", plain(colour))
        subjects.append(Subject(name=f"S{number}", reference_keys=[f"sheet{number}.png"]))
    return ImageSpec(
        **{
            "prompt": "two people",
            "width": 64,
            "height": 64,
            "seed": 11,
            "style": ArtStyle(style_name="s"),
            "subjects": subjects,
            **changes,
        }
    )


def run(spec: ImageSpec, painter: Any, root: Path, embedder: Any = None) -> tuple[Any, LocalContext]:
    context = LocalContext(root, {"embedding": embedder} if embedder is not None else {})
    return text_to_image.run(spec, painter, context), context


def pixels(result: Any, root: Path) -> np.ndarray:
    return frames.load_image(root / result.image.key)


def test_a_shot_alike_enough_is_painted_once(tmp_path: Path) -> None:
    painter = Painter([plain(RED)], min_identity=0.9, tries=3)
    result, context = run(spec_of(tmp_path, RED), painter, tmp_path, ColourEmbedder())
    assert painter.seeds == [11] and result.identity == pytest.approx(1.0, abs=0.01)
    assert context.parameters["seed"] == 11 and [one["seed"] for one in context.parameters["identity_tries"]] == [11]
    assert context.parameters["identity_tries"][0]["score"] == context.parameters["identity"] == result.identity


def test_a_shot_that_is_not_is_painted_again_until_it_is(tmp_path: Path) -> None:
    painter = Painter([plain(BLUE), plain(RED), plain(RED)], min_identity=0.9, tries=3)
    result, context = run(spec_of(tmp_path, RED), painter, tmp_path, ColourEmbedder())
    assert painter.seeds == [11, seed_of_try(11, 1)] and context.parameters["seed"] == painter.seeds[1]
    assert result.identity > 0.9 and np.array_equal(pixels(result, tmp_path), plain(RED))
    assert sorted(one["seed"] for one in context.parameters["identity_tries"]) == sorted(painter.seeds)


def test_the_best_of_all_tries_is_kept_with_its_seed(tmp_path: Path) -> None:
    painter = Painter([plain(BLUE), plain((150, 120, 60)), plain(GREEN)], min_identity=0.99, tries=3)
    result, context = run(spec_of(tmp_path, RED), painter, tmp_path, ColourEmbedder())
    assert len(painter.seeds) == len(set(painter.seeds)) == 3
    assert np.array_equal(pixels(result, tmp_path), plain((150, 120, 60)))
    assert context.parameters["seed"] == painter.seeds[1] and context.parameters["prompt"] == "two people"
    assert result.identity == max(one["score"] for one in context.parameters["identity_tries"]) < 0.99
    assert context.fractions == sorted(context.fractions) and len(set(context.fractions)) >= 6


def test_without_a_threshold_a_shot_is_only_scored(tmp_path: Path) -> None:
    painter = Painter([plain(BLUE)], tries=4)
    result, _ = run(spec_of(tmp_path, RED), painter, tmp_path, ColourEmbedder())
    assert painter.seeds == [11] and result.identity is not None and result.identity < 0.6


def test_the_least_alike_character_counts(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, RED, BLUE)
    alone, _ = run(spec, Painter([plain(RED)]), tmp_path, ColourEmbedder())
    both = np.concatenate([plain(RED, 32), plain(BLUE, 32)], axis=1)
    together, _ = run(spec, Painter([both]), tmp_path, ColourEmbedder())
    assert alone.identity < 0.6 and together.identity > 0.99


def test_somebody_who_fills_a_part_of_the_picture_counts_whole() -> None:
    picture = plain(GREEN)
    picture[16:48, 16:48] = plain(RED, 32, 32)
    judge = Judge(ColourEmbedder(), [[plain(RED)]])
    assert judge.score(picture) > 0.99
    assert [view.shape for view in views(np.zeros((65, 33, 3), np.uint8))] == [(65, 33, 3), *[(32, 16, 3)] * 5]


def test_the_best_sheet_of_a_character_counts() -> None:
    assert Judge(ColourEmbedder(), [[plain(BLUE), plain(RED)]]).score(plain(RED)) > 0.99


@pytest.mark.parametrize("framing", [framing for framing in Framing if framing is not Framing.SHOT])
def test_sheets_are_not_compared(tmp_path: Path, framing: Framing) -> None:
    embedder = ColourEmbedder()
    painter = Painter([plain(BLUE)], min_identity=0.9)
    result, _ = run(spec_of(tmp_path, RED, framing=framing), painter, tmp_path, embedder)
    assert result.identity is None and painter.seeds == [11] and embedder.calls == 0


def test_nothing_is_compared_without_sheets_or_an_embedder(tmp_path: Path) -> None:
    nobody = spec_of(tmp_path)
    assert run(nobody, Painter([plain(BLUE)], min_identity=1.0), tmp_path, ColourEmbedder())[0].identity is None
    assert run(spec_of(tmp_path, RED), Painter([plain(BLUE)], min_identity=1.0), tmp_path)[0].identity is None
    stranger = nobody.model_copy(update={"subjects": [Subject(name="S")]})
    assert judge_of(stranger, {}, ColourEmbedder()) is None  # type: ignore[arg-type]


def test_adapters_without_such_options_are_scored_alone(tmp_path: Path) -> None:
    assert limits_of(object()) == Limits(None, 1)
    assert limits_of(Painter([], min_identity=0.5, tries=3)) == Limits(0.5, 3)
    painter = Painter([plain(BLUE)])
    del painter.options
    result, _ = run(spec_of(tmp_path, RED), painter, tmp_path, ColourEmbedder())
    assert result.identity is not None


def test_a_cancel_during_a_second_try_is_let_through(tmp_path: Path) -> None:
    class Cancelled(LocalContext):
        def progress(self, fraction: float, preview: Any = None) -> None:
            if fraction > 0.5:
                raise TaskCancelled

    painter = Painter([plain(BLUE)] * 3, min_identity=0.9, tries=3)
    with pytest.raises(TaskCancelled):
        text_to_image.run(spec_of(tmp_path, RED), painter, Cancelled(tmp_path, {"embedding": ColourEmbedder()}))  # type: ignore[dict-item]
    assert len(painter.seeds) == 2


def test_what_has_nobody_to_compare_does_not_ask_for_the_embedder(tmp_path: Path) -> None:
    class Asked(LocalContext):
        asked = 0

        def helper(self, kind: HelperKind) -> Adapter | None:
            self.asked += 1
            return super().helper(kind)

    shot = spec_of(tmp_path, RED)
    alone = shot.model_copy(update={"subjects": []})
    sheet = shot.model_copy(update={"framing": Framing.FRONT_VIEW})
    for spec, asked in ((shot, 1), (alone, 0), (sheet, 0)):
        context = Asked(tmp_path, {"embedding": ColourEmbedder()})
        text_to_image.run(spec, Painter([plain(RED)]), context)  # type: ignore[arg-type]
        assert context.asked == asked


def test_seeds_of_tries_differ_and_stay_in_range() -> None:
    seeds = [seed_of_try(2**63 - 1, number) for number in range(8)]
    assert seeds[0] == 2**63 - 1 and len(set(seeds)) == 8 and all(0 <= seed < 2**63 for seed in seeds)
    tries = best_of(0, Limits(0.5, 3), lambda number, _: number / 10, lambda made: made)
    assert [one.made for one in tries] == [0.2, 0.1, 0.0]


def test_a_real_embedder_tells_the_right_person_from_another(tmp_path: Path) -> None:
    from tests.tiny.adapters import adapter_of, entry_of
    from tests.tiny.vision import build_dinov2

    embedder = adapter_of(entry_of("dinov2", tmp_path / "tiny", build_dinov2))
    (tmp_path / "tiny").mkdir(exist_ok=True)
    embedder.load()
    painter = Painter([plain(BLUE), plain(RED)], min_identity=0.98, tries=2)
    result, context = run(spec_of(tmp_path, RED), painter, tmp_path, embedder)
    assert len(painter.seeds) == 2 and result.identity >= 0.98
    assert context.parameters["seed"] == painter.seeds[1]
