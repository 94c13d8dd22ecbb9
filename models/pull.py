"""Bringing a model's files onto this machine, from a Hugging Face hub or an object store.

`python -m models.pull WEIGHTS_JSON FOLDER PARENT_PID` is what a worker runs. What is pulled appears in its folder whole
or not at all, and goes on where it was when it is interrupted.
"""

import ctypes
import fcntl
import os
import re
import signal
import sys
from pathlib import Path, PurePosixPath

from models.manifest import MANIFEST, Progress, measure, quiet
from models.sources import Weights
from models.weights import BadWeightsError, check, part_of

_SUFFIXES = frozenset([".safetensors", ".json", ".txt", ".model", ".jinja", ".npy", ".tiktoken", ".wav", ".flac"])
_CHUNK = 8 << 20
_PR_SET_PDEATHSIG = 1
_VARIANT = re.compile(r"\.(fp16|bf16|fp32|fp8|int8|ema|non_ema)(?=[.-])")


def wanted(names: list[str], variant: str | None) -> list[str]:
    """Of a repository's files those that are read: configuration and safetensors, of one variant, and no checkpoint in
    one file beside the parts of a pipeline."""
    has_parts = "model_index.json" in names
    chosen = []
    for name in names:
        path = PurePosixPath(name)
        if path.suffix not in _SUFFIXES or any(part.startswith(".") for part in path.parts):
            continue
        if path.suffix == ".safetensors":
            found = _VARIANT.search(path.name)
            if (found[1] if found else None) != variant and not (variant and not _has(names, path, variant)):
                continue
            if has_parts and len(path.parts) == 1:
                continue
        chosen.append(name)
    return sorted(chosen)


def _has(names: list[str], path: PurePosixPath, variant: str) -> bool:
    """Whether a folder of the repository has files of the variant at all."""
    return any(PurePosixPath(name).parent == path.parent and f".{variant}." in name for name in names)


def pull(weights: Weights, folder: Path, progress: Progress = quiet) -> None:
    """Have the files in ``folder``. Two processes that pull the same one do it once.

    Raises OSError for a source that cannot be reached or has no such model, BadWeightsError for files that are not what
    the source says.
    """
    part = part_of(folder)
    try:
        part.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(f"REELFARM_MODELS_DIR: weights cannot be kept in {folder.parent}: {error.strerror}") from error
    with part.with_name(part.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / MANIFEST).is_file():
            return
        part.mkdir(exist_ok=True)  # whoever had the lock before may have renamed it
        revision: str | None = None
        digests: dict[str, str] = {}
        if weights.hub is not None:
            revision, digests = _from_hub(weights.hub, weights, part, progress)
        elif weights.url is not None:
            _from_store(weights.url, weights, part, progress)
        check(part)
        measured = measure(part, progress=lambda name, done, total: progress(f"hashing {name}", done, total))
        for name, digest in digests.items():
            if measured.files[name].sha256 != digest:
                (part / name).unlink()
                raise BadWeightsError(f"{name} of {weights.source} is not what the hub says it is; it was removed")
        manifest = measured.model_copy(update={"source": weights.source, "revision": revision})
        (part / MANIFEST).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
        part.rename(folder)


def _from_hub(hub: str, weights: Weights, part: Path, progress: Progress) -> tuple[str | None, dict[str, str]]:
    """Returns the commit, and the digests that the hub knows of its files."""
    import httpx2
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    api = HfApi()
    try:
        info = api.model_info(hub, revision=weights.revision, files_metadata=True)
        files = {file.rfilename: file for file in info.siblings or ()}
        names = wanted(list(files), weights.variant)
        total = sum(files[name].size or 0 for name in names)
        done = 0
        for name in names:
            progress(name, done, total)
            api.hf_hub_download(hub, name, revision=info.sha, local_dir=part)
            done += files[name].size or 0
        progress("", done, total)
    except (HfHubHTTPError, httpx2.HTTPError) as error:
        raise OSError(f"{weights.source}: {str(error).strip().partition(chr(10))[0]}") from error
    return info.sha, {name: lfs.sha256 for name in names if (lfs := files[name].lfs) is not None}


def _from_store(url: str, weights: Weights, part: Path, progress: Progress) -> None:
    from obstore.exceptions import BaseError
    from obstore.store import from_url

    try:
        store = from_url(url)
        sizes = {str(meta["path"]): int(meta["size"]) for batch in store.list() for meta in batch}
        names = wanted(list(sizes), weights.variant)
        total, done = sum(sizes[name] for name in names), 0
        for name in names:
            progress(name, done, total)
            target = part / name
            done += sizes[name]
            if target.is_file() and target.stat().st_size == sizes[name]:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            partial = target.with_name(target.name + ".partial")
            with partial.open("wb") as file:
                for chunk in store.get(name).stream(min_chunk_size=_CHUNK):
                    file.write(chunk)
            partial.replace(target)
        progress("", done, total)
    except (BaseError, ValueError) as error:
        raise OSError(f"{weights.source}: {str(error).strip().partition(chr(10))[0]}") from error


def _die_with(parent: int) -> None:
    """Be killed when the parent ends, however it does: nobody would wait for the files, and the disk fills."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:  # it ended before
        sys.exit(1)


def _tell(name: str, done: int, total: int) -> None:
    """To the worker, which takes silence for a hang."""
    sys.stdout.write(".")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    if len(arguments) > 2:
        _die_with(int(arguments[2]))
    try:
        pull(Weights.model_validate_json(arguments[0]), Path(arguments[1]), _tell)
    except (OSError, BadWeightsError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
