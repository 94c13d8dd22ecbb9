"""How long the control plane takes to import, and how much the base install weighs.

    python -m benchmarks.footprint [--runs 7] [--install] [--json]

The limit beside the import is the libraries it cannot do without, imported alone. With --install a fresh virtual
environment is made from constraints.txt and its size on disk is added up.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.report import median, show

REPOSITORY = Path(__file__).parents[1]
LIBRARIES = "import aiohttp.web, sqlalchemy.ext.asyncio, redis.asyncio, pydantic_settings, structlog, obstore"
NOTES = {
    "import_s": "`import control_plane.app` in a fresh interpreter (goal: under 1.5)",
    "libraries_s": "the limit: the libraries it stands on, alone",
    "import_vs_libraries": "the first over the second",
    "install_gb": "base install, everything in its site-packages (goal: under 1)",
    "install_s": "time to make it",
}


def seconds(statement: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True, cwd=REPOSITORY)
    return time.perf_counter() - started


def install(directory: Path) -> tuple[float, float]:
    """Gigabytes and seconds of a base install."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "venv", str(directory)], check=True)
    pip = [str(directory / "bin/python"), "-m", "pip", "install", "--quiet", "--no-compile"]
    subprocess.run([*pip, "--constraint", "constraints.txt", "."], check=True, cwd=REPOSITORY)
    taken = time.perf_counter() - started
    size = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file() and not path.is_symlink())
    return size / 1e9, taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--install", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    empty, libraries, imports = [], [], []
    seconds("import control_plane.app")
    for _ in range(options.runs):
        empty.append(seconds("pass"))
        libraries.append(seconds(LIBRARIES))
        imports.append(seconds("import control_plane.app"))
    base = median(empty)
    figures = {
        "import_s": round(median(imports) - base, 3),
        "libraries_s": round(median(libraries) - base, 3),
        "import_vs_libraries": median(
            [(one - base) / (other - base) for one, other in zip(imports, libraries, strict=True)]
        ),
    }
    if options.install:
        with tempfile.TemporaryDirectory() as name:
            size, taken = install(Path(name))
        figures |= {"install_gb": round(size, 3), "install_s": round(taken, 1)}
    show("Footprint", figures, NOTES, as_json=options.json)


if __name__ == "__main__":
    main()
