"""A model's files on this machine: there, whole, and nothing that runs code when it is read."""

import json
import os
import re
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import orjson

from models.catalog import Model
from models.interfaces import Report
from models.manifest import MANIFEST, Progress, files_of, measure, quiet, read_manifest

_PICKLES = frozenset([".bin", ".ckpt", ".pkl", ".pickle", ".pt", ".pth"])
_MAX_HEADER_BYTES = 100 * 1024 * 1024
_POLL_S = 0.2


class BadWeightsError(RuntimeError):
    """The files of a model are not what its catalog entry says; the message names the file."""


def fetch(model: Model, models_dir: Path, report: Report) -> Path:
    """The folder of a model's weights, pulled first if they are not there. They were looked at: see ``check``.

    Raises BadWeightsError, and OSError when they cannot be pulled.
    """
    weights = model.weights
    if weights is None:
        raise LookupError(f"{model.id} has no weights")
    folder = weights.folder(models_dir)
    if weights.path is None and not (folder / MANIFEST).is_file():
        with report.phase("fetch"):
            _pull_apart(model, folder, report)
    check(folder)
    if weights.sha256 is not None and (found := _digest(folder, models_dir, report)) != weights.sha256:
        raise BadWeightsError(f"{folder}: the files' sha256 is {found}, not {weights.sha256} as the catalog says")
    return folder


def _pull_apart(model: Model, folder: Path, report: Report) -> None:
    """In a process of its own, which a cancelled task can end. It counts as alive for as long as files grow or it says
    that it goes on."""
    assert model.weights is not None  # noqa: S101 - fetch() saw to it
    command = [sys.executable, "-m", "models.pull", model.weights.model_dump_json(), str(folder), str(os.getpid())]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None  # noqa: S101 - asked for as pipes
    os.set_blocking(process.stdout.fileno(), False)
    try:
        size = -1
        while process.poll() is None:
            time.sleep(_POLL_S)
            report.stop_if_cancelled()
            if (now := _size_of_parts(folder)) != size or process.stdout.read():
                size = now
                report(0.0)
        said = process.stderr.read().decode(errors="replace")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()
    if process.returncode != 0:
        reason = said.strip().splitlines()[-1] if said.strip() else f"exit status {process.returncode}"
        raise OSError(f"{model.weights.source} could not be pulled: {reason}")


def part_of(folder: Path) -> Path:
    """Where files are until all of them are there."""
    return folder.with_name(folder.name + ".part")


def _size_of_parts(folder: Path) -> int:
    """Nothing of what is renamed meanwhile, which os.walk passes over."""
    total = 0
    for parent, _, names in os.walk(part_of(folder)):
        for name in names:
            with suppress(FileNotFoundError):
                total += (Path(parent) / name).stat().st_size
    return total


def stored_bytes(folder: Path) -> int:
    """Of the weights on disk."""
    return sum(path.stat().st_size for path in files_of(folder) if path.suffix == ".safetensors")


def weight_files(folder: Path, variant: str | None = None) -> list[Path]:
    """The safetensors files of one component that diffusers and transformers would read."""
    middle = re.escape(f".{variant}") if variant else ""
    wanted = re.compile(rf"[^.]+{middle}(-\d+-of-\d+)?\.safetensors")
    return sorted(path for path in folder.glob("*.safetensors") if wanted.fullmatch(path.name))


def sole_weight_files(folder: Path, variant: str | None = None) -> list[Path]:
    """Of these, what will be read for certain: none where a folder has more than one set of them, such as the whole
    beside its shards or somebody else's format."""
    files = weight_files(folder, variant)
    sets = {re.sub(r"-\d+-of-\d+", "", path.name) + "*" * ("-of-" in path.name) for path in files}
    return files if len(sets) == 1 else []


def check(folder: Path) -> None:
    """Look at a folder without reading its tensors: it is there, its safetensors files are whole, an index names no
    file that is missing, and it is not one of pickles alone. Raises BadWeightsError."""
    if not folder.is_dir():
        raise BadWeightsError(f"{folder}: there is no such folder")
    tensors = [path for path in files_of(folder) if path.suffix == ".safetensors"]
    if not tensors:
        pickled = pickles(folder)
        why = f"only pickled weights ({pickled[0].name}), which may run code: convert them" if pickled else "none there"
        raise BadWeightsError(f"{folder}: weights are read from .safetensors files, and there are {why}")
    for path in tensors:
        _check_safetensors(path)
    for index in folder.rglob("*.safetensors.index.json"):
        _check_index(index)


def _check_index(index: Path) -> None:
    try:
        named = set(json.loads(index.read_bytes())["weight_map"].values())
    except (ValueError, KeyError, AttributeError) as error:
        raise BadWeightsError(f"{index}: not an index of weights ({error!r})") from error
    missing = sorted(name for name in named if not (index.parent / name).is_file())
    if missing:
        raise BadWeightsError(f"{index}: {missing[0]} is missing")


def _check_safetensors(path: Path) -> None:
    """The header says how long the file is: https://huggingface.co/docs/safetensors, "Format"."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, _MAX_HEADER_BYTES):
            raise BadWeightsError(f"{path}: not a safetensors file, or cut off")
        try:
            header = orjson.loads(file.read(length))
            end = max(
                (tensor["data_offsets"][1] for name, tensor in header.items() if name != "__metadata__"), default=0
            )
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise BadWeightsError(f"{path}: its header is corrupt") from error
    if 8 + length + end != size:
        raise BadWeightsError(f"{path}: it has {size} bytes, and its header says {8 + length + end}")


def pickles(folder: Path) -> list[Path]:
    return [path for path in files_of(folder) if path.suffix in _PICKLES]


def _digest(folder: Path, models_dir: Path, report: Report) -> str:
    """Of what was pulled, as its manifest says; of a folder of the operator's, by reading what changed since it was
    read last."""
    if (pulled := read_manifest(folder)) is not None:
        return pulled.sha256

    def tell(name: str, done: int, total: int) -> None:
        report(0.0)

    with report.phase("fetch"):
        return measure(folder, models_dir, progress=tell).sha256


@dataclass(frozen=True)
class Verified:
    """``problems`` is empty for a good folder. ``sha256`` is what a catalog entry can pin."""

    sha256: str
    problems: tuple[str, ...]


def verify(folder: Path, models_dir: Path | None = None, *, full: bool = False, progress: Progress = quiet) -> Verified:
    """Look at all of a folder: hashes as they were when it was pulled, safetensors whole, no pickles. What is read of
    it, ``measure`` says.

    Raises BadWeightsError where there is nothing to verify.
    """
    check(folder)
    found = measure(folder, models_dir, full=full, progress=progress)
    problems = [f"{path}: pickles may run code; remove it" for path in pickles(folder)]
    if (pulled := read_manifest(folder)) is not None:
        for name, record in pulled.files.items():
            if name not in found.files:
                problems.append(f"{folder / name}: missing")
            elif not found.files[name].is_of(record):
                problems.append(f"{folder / name}: changed since it was pulled")
        problems += [f"{folder / name}: was not pulled" for name in found.files.keys() - pulled.files.keys()]
    return Verified(found.sha256, tuple(problems))
