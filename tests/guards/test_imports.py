"""What the control plane loads, and how long that takes it."""

import subprocess
import sys

import pytest

ENGINES = ("ray", "torch", "av", "cv2", "diffusers", "transformers")


@pytest.mark.parametrize(
    "module",
    ["control_plane.app", "scheduler.policy", "models.specs", "models.catalog", "pipelines.registry"],
)
def test_importing_it_loads_no_engine(module: str) -> None:
    code = f"import sys, {module}; print(*sorted(set(sys.modules) & set({ENGINES!r})))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []


def test_the_policy_needs_no_numpy() -> None:
    code = "import sys, scheduler.policy; print('numpy' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == ["False"]
