"""Where a thing finds room among people."""

from models.draft.painter.stage import Stage

Crowd = list[tuple[float, float]]  # the columns, in pixels, that people and things fill

WATER = {"sea", "beach", "lake", "river", "bridge", "waterfall", "harbour"}


def spot(stage: Stage, crowd: Crowd, half: float, prefer: float | None = None) -> float:
    """A column in pixels that leaves people free, if there is one."""
    wanted = [prefer] if prefer is not None else []
    wanted += [float(share) for share in stage.shot_rng.permutation([0.14, 0.24, 0.76, 0.86, 0.5])]
    for share in wanted:
        x = _inside(stage, share, half)
        if all(right < x - half or x + half < left for left, right in crowd):
            crowd.append((x - half, x + half))
            return x
    return _inside(stage, wanted[0], half)


def _inside(stage: Stage, share: float, half: float) -> float:
    """The column, moved so far from the edge that no frame cuts the thing, a moving camera's either."""
    rim = min(half + 0.06 * stage.width, stage.width * 0.5)
    return min(stage.width - rim, max(rim, share * stage.width))


def row_of(stage: Stage, share: float) -> float:
    """A row of the ground: 0 the horizon, 1 where full figures stand."""
    return stage.horizon + (stage.floor * stage.height - stage.horizon) * share
