"""A worker's residency on this machine's CPU."""

from pathlib import Path

from models.device import Device
from models.peaks import Peaks
from models.residency import Residency


def cpu_residency(root: Path) -> Residency:
    return Residency(Device("cpu"), models_dir=root / "models", host_bytes=10**9, peaks=Peaks(root / "peaks.json"))
