"""`python -m tests.tiny FOLDER`: build every tiny model there, for `reelfarm render --catalog FOLDER/catalog.toml`."""

import sys
from pathlib import Path

from tests.tiny.collection import build

if __name__ == "__main__":
    print(build(Path(sys.argv[1])))
