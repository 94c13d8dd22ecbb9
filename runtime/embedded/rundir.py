"""A short-lived directory for sockets and temporary files, with a path short enough for unix sockets."""

import os
import tempfile
from pathlib import Path

# Ray's socket paths leave 43 characters for its temporary directory; a data directory may lie anywhere deep.
# /tmp itself and not TMPDIR: that may be long, or closed to the user that PostgreSQL runs as.
_PARENT = "/tmp"  # noqa: S108  the directory made in it is private and has an unpredictable name


def create_run_dir() -> Path:
    """A new private directory. Made by root, others may pass through it to what is opened to them in it."""
    directory = Path(tempfile.mkdtemp(prefix="reelfarm-", dir=_PARENT))
    if os.geteuid() == 0:
        directory.chmod(0o711)
    return directory
