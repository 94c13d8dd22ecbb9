"""What tasks cost and when a day ends."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.quota.rules import cost_of, day_at, next_reset
from models.catalog import Catalog, Cost, Model
from models.specs import ArtStyle, ImageSpec, MusicSpec, SpeechSpec
from scheduler.task import NewTask

PICTURES = Cost(base=1, per_megapixel=2)
CATALOG = Catalog(
    [
        Model(
            id="painter",
            display_name="P",
            tasks=("text_to_image", "image_to_image"),
            license="x",
            cost=PICTURES,
            task_cost={"image_to_image": Cost(base=7)},
        ),
        Model(id="composer", display_name="C", tasks=("music",), license="x", cost=Cost(per_second=0.5)),
        Model(id="speaker", display_name="S", tasks=("speech",), license="x", cost=Cost(base=1)),
        Model(id="talker", display_name="T", tasks=("speech",), license="x", cost=Cost(base=1, per_second=2)),
    ]
)


def task(kind: str, model: str, spec: object) -> NewTask:
    return NewTask(
        kind=kind,
        spec=spec,  # type: ignore[arg-type]
        model=model,
        job_id="job",
        project_id="prj",
        tenant_id="usr",
        reaction="r",
        label="l",
    )


def test_pictures_cost_by_pixels_and_are_rounded_up() -> None:
    spec = ImageSpec(prompt="x", width=1280, height=720, style=ArtStyle(style_name="s"))
    assert cost_of(CATALOG, task("text_to_image", "painter", spec)) == 3  # 1 + 2 x 0.92


def test_music_costs_by_seconds_and_speech_by_the_line() -> None:
    assert cost_of(CATALOG, task("music", "composer", MusicSpec(duration_s=31))) == 16
    assert cost_of(CATALOG, task("speech", "speaker", SpeechSpec(text="x", language="en", voice="v"))) == 1


@pytest.mark.parametrize(
    ("text", "speed", "cost"),
    [
        ("海" * 42, 1.0, 21),  # 10 s
        ("海" * 42, 2.0, 11),
        ("word " * 26, 1.0, 21),
        ("ok", 1.0, 2),
        ("a" * 6000, 1.0, 386),  # no words: letters count
    ],
)
def test_speech_costs_by_the_seconds_that_its_text_will_take(text: str, speed: float, cost: int) -> None:
    spec = SpeechSpec(text=text, language="zh", voice="v", speed=speed)
    assert cost_of(CATALOG, task("speech", "talker", spec)) == cost


def test_tasks_of_one_model_can_differ_in_cost() -> None:
    spec = ImageSpec(prompt="x", width=1280, height=720, style=ArtStyle(style_name="s"))
    assert cost_of(CATALOG, task("text_to_image", "painter", spec)) == 3
    assert cost_of(CATALOG, task("image_to_image", "painter", spec)) == 7


def test_a_model_that_is_not_in_the_catalog_has_no_price() -> None:
    with pytest.raises(KeyError):
        cost_of(CATALOG, task("music", "nobody", MusicSpec(duration_s=1)))


def test_a_day_ends_at_midnight_of_the_owner() -> None:
    moment = datetime(2026, 3, 7, 20, 0, tzinfo=UTC)
    assert day_at(moment, "Asia/Shanghai") == date(2026, 3, 8)
    assert next_reset(moment, "Asia/Shanghai") == datetime(2026, 3, 8, 16, 0, tzinfo=UTC)
    assert next_reset(moment, "UTC") == datetime(2026, 3, 8, 0, 0, tzinfo=UTC)


def test_the_day_of_a_clock_change_has_its_own_length() -> None:
    # In New York 2026-03-08 has 23 hours.
    moment = datetime(2026, 3, 8, 6, 0, tzinfo=UTC)
    assert next_reset(moment, "America/New_York") == datetime(2026, 3, 9, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "moment", "reset"),
    [
        # Clocks skip midnight: the day begins when they do.
        ("America/Sao_Paulo", datetime(2018, 11, 3, 20, tzinfo=UTC), datetime(2018, 11, 4, 3, tzinfo=UTC)),
        # Midnight comes twice: the first counts, and an hour later there is a whole day to go.
        ("America/Havana", datetime(2026, 10, 31, 20, tzinfo=UTC), datetime(2026, 11, 1, 4, tzinfo=UTC)),
        ("America/Havana", datetime(2026, 11, 1, 5, 30, tzinfo=UTC), datetime(2026, 11, 2, 5, tzinfo=UTC)),
        # A day that a country left out.
        ("Pacific/Apia", datetime(2011, 12, 30, 9, tzinfo=UTC), datetime(2011, 12, 30, 10, tzinfo=UTC)),
    ],
)
def test_a_day_without_a_plain_midnight(zone: str, moment: datetime, reset: datetime) -> None:
    assert next_reset(moment, zone) == reset


@given(
    moment=st.datetimes(datetime(2000, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    zone=st.sampled_from(sorted(available_timezones())),
)
def test_the_reset_is_ahead_and_begins_another_day(moment: datetime, zone: str) -> None:
    reset = next_reset(moment, zone)
    assert moment < reset <= moment + timedelta(hours=26)
    assert day_at(reset, zone) > day_at(moment, zone)
