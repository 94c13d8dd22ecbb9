"""`reelfarm models`: what an operator does with the models of the catalog.

What needs an engine runs as a process of its own: the command line loads none.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from control_plane.console import DataDirOption, fail, settings, use_data_dir
from runtime.settings import get_settings

if TYPE_CHECKING:
    from models.catalog import Catalog, Model
    from models.manifest import Progress

models = typer.Typer(no_args_is_help=True, help="Models of the catalog, and their weights on this machine.")

CatalogOption = Annotated[
    Path | None, typer.Option(help="A catalog file. Default: REELFARM_CATALOG, else the one that ships.")
]
NamesArgument = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Default: all of the catalog.")]


def catalog_path(option: Path | None) -> Path:
    from models.catalog_file import DEFAULT_PATH

    return option or settings().catalog or DEFAULT_PATH


def use_catalog(option: Path | None) -> None:
    """For this process and those it starts."""
    if option is not None:
        os.environ["REELFARM_CATALOG"] = str(option.resolve())
        get_settings.cache_clear()


def open_catalog(path: Path) -> "Catalog":
    """Fails with the line that is wrong."""
    from models.catalog import CatalogError
    from models.catalog_file import load_catalog
    from models.sources import Usage

    try:
        return load_catalog(path, Usage.of(settings()))
    except CatalogError as error:
        fail(str(error))


def check_catalog(option: Path | None) -> None:
    """Fail where the catalog cannot be served on this machine; say so where it has no model for a kind of task. Loads
    engines, elsewhere, for models with weights."""
    path = catalog_path(option)
    found = open_catalog(path)
    if missing := found.unserved():
        hint = 'include = ["reelfarm:catalog.toml"] adds the draft engine for what has no model of yours'
        typer.echo(f"warning: {path} has no model for {', '.join(missing)}: what needs one will fail; {hint}", err=True)
    for model, language in found.unread():
        known = ", ".join(model.languages)
        typer.echo(f"warning: {model.id} understands {known}: what is told in {language} it hardly follows", err=True)
    weighted = [model.id for model in found.models.values() if model.weights is not None]
    if not weighted:
        return
    if any(map(_is_to_pull, found.models.values())):
        check_models_folder()
    checked = subprocess.run(
        [sys.executable, "-m", "models.check", str(path), *weighted], stdout=subprocess.PIPE, text=True, check=False
    )
    if checked.returncode:
        fail(checked.stdout.strip() or f"models.check ended with status {checked.returncode}")


def check_models_folder() -> None:
    """Fail, naming the setting, where pulled weights could not be kept. A folder that was named has to be there: what
    is made in the place of a disk that is not mounted fills another."""
    folder = settings().models_dir
    if folder is None:
        return
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        fail(f"REELFARM_MODELS_DIR: weights cannot be kept in {folder}: {error.strerror}")


def _is_to_pull(model: "Model") -> bool:
    from models.manifest import MANIFEST

    weights = model.weights
    if weights is None or weights.path is not None:
        return False
    return not (weights.folder(settings().models_folder) / MANIFEST).is_file()


def warn_without_gpu(option: Path | None) -> None:
    """Say so where everything runs on this machine and nothing of it can run the models that are asked first."""
    from monitoring.logs import configure_logging
    from monitoring.nvml import Nvml

    configure_logging("up", "WARNING", stream=sys.stderr)
    catalog = open_catalog(catalog_path(option))
    kinds = {kind for model in catalog.models.values() for kind in model.tasks}
    asked = [catalog.first_for(kind) for kind in kinds]
    waiting = sorted({model.id for model in asked if model is not None and model.device == "gpu"})
    if not waiting:
        return
    nvml = Nvml()
    try:
        if not nvml.read():
            typer.echo(f"warning: no GPU is seen here; tasks of {', '.join(waiting)} will wait for one", err=True)
    finally:
        nvml.close()


@models.command("list")
def list_models(catalog: CatalogOption = None, data_dir: DataDirOption = None) -> None:
    """What the farm offers: tasks, memory, license, and where the weights are. Refused models say why."""
    use_data_dir(data_dir)
    from rich.console import Console
    from rich.table import Table

    found = open_catalog(catalog_path(catalog))
    table = Table("id", "tasks", "runs on", "memory", "license", "weights", box=None, pad_edge=False)
    for model in found.entries:
        allowed = model.id not in found.refused  # the only model of a kind may be one that is refused
        default = " (default)" if allowed and any(found.first_for(kind) is model for kind in model.tasks) else ""
        table.add_row(
            model.id + default,
            ", ".join(model.tasks),
            model.device if model.gpus == 1 else f"{model.gpus} gpus",
            f"{model.vram_gb:g} GB" if model.vram_gb else "",
            model.license,
            _state(model, found),
        )
    # Not cut to the width of a terminal: it is read by programs too.
    Console(width=None if sys.stdout.isatty() else 400, soft_wrap=True).print(table)


def _state(model: "Model", catalog: "Catalog") -> str:
    if (reason := catalog.refused.get(model.id)) is not None:
        return f"refused: {reason}"
    if model.weights is None:
        return "needs none"
    folder = model.weights.folder(settings().models_folder)
    if model.weights.path is not None:
        return str(folder) if folder.is_dir() else f"missing: {folder}"
    return f"not pulled: {model.weights.source}" if _is_to_pull(model) else str(folder)


@models.command("pull")
def pull_models(names: NamesArgument = None, catalog: CatalogOption = None, data_dir: DataDirOption = None) -> None:
    """Bring weights onto this machine. Without it, a worker does so when a model is first asked for."""
    use_data_dir(data_dir)
    from models.pull import pull
    from models.weights import BadWeightsError

    chosen = _chosen(names, catalog)
    if any(map(_is_to_pull, chosen)):
        check_models_folder()
    for model in chosen:
        weights = model.weights
        if weights is None or weights.path is not None:
            continue
        folder = weights.folder(settings().models_folder)
        try:
            with _shown(model.id) as progress:
                pull(weights, folder, progress)
        except (OSError, BadWeightsError) as error:
            fail(f"{model.id}: {error}")
        typer.echo(f"{model.id}: {folder}")


@contextmanager
def _shown(title: str) -> "Iterator[Progress]":
    """A bar of the bytes that are pulled or read, where somebody watches."""
    from rich import progress
    from rich.console import Console

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
    )
    with progress.Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as display:
        bar = display.add_task(title, total=None)

        def show(name: str, done: int, total: int) -> None:
            display.update(bar, completed=done, total=total, description=f"{title}: {name}")

        yield show


@models.command("verify")
def verify_models(
    names: NamesArgument = None,
    *,
    full: Annotated[
        bool, typer.Option("--full", help="Read files again that did not change since they were read.")
    ] = False,
    catalog: CatalogOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Check the weights: hashes as they were pulled, safetensors only, and tensors that fit their classes."""
    use_data_dir(data_dir)
    from models.weights import BadWeightsError, verify

    path = catalog_path(catalog)
    models_dir = settings().models_folder
    bad = False
    for model in _chosen(names, catalog):
        if model.weights is None:
            continue
        try:
            with _shown(model.id) as progress:
                verified = verify(model.weights.folder(models_dir), models_dir, full=full, progress=progress)
        except BadWeightsError as error:
            bad = True
            typer.echo(f"{model.id}: {error}")
            continue
        problems = list(verified.problems)
        pinned = model.weights.sha256
        if pinned is not None and pinned != verified.sha256:
            problems.append(f"sha256 is {verified.sha256}, not {pinned} as the catalog says")
        on_meta = subprocess.run(
            [sys.executable, "-m", "models.check", str(path), "--meta", model.id],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if on_meta.returncode:
            problems += on_meta.stdout.strip().splitlines() or [f"models.check ended with {on_meta.returncode}"]
        for problem in problems:
            typer.echo(f"{model.id}: {problem}")
        if not problems:
            typer.echo(f"{model.id}: good, sha256 {verified.sha256}")
        bad = bad or bool(problems)
    raise typer.Exit(1 if bad else 0)


@models.command("bench")
def bench_model(
    name: Annotated[str, typer.Argument(metavar="ID")],
    *,
    runs: Annotated[int, typer.Option(help="How often, after one run to warm up.", min=1)] = 3,
    size: Annotated[str | None, typer.Option(help="Of pictures and videos, such as 1024x1024.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
    catalog: CatalogOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Time a model on this machine: load, first run, runs, memory; and what its lossy options gain and cost."""
    use_data_dir(data_dir)
    path = catalog_path(catalog)
    open_catalog(path)
    command = [sys.executable, "-m", "models.bench", str(path), name, "--runs", str(runs)]
    command += ["--size", size] if size else []
    command += ["--json"] if as_json else []
    os.execv(sys.executable, command)  # noqa: S606  becomes the process itself, and ends with it


def _chosen(names: list[str] | None, option: Path | None) -> "list[Model]":
    """Fails for a name that the catalog does not have, or refuses."""
    found = open_catalog(catalog_path(option))
    for name in names or ():
        if name not in found.models:
            fail(f"{name}: {found.refused.get(name, 'no such model in the catalog')}")
    return [found.models[name] for name in names] if names else list(found.models.values())
