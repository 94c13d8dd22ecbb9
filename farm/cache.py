"""Artifacts on a node's own disk, shared by its workers."""

from pathlib import Path

from runtime.artifacts import ArtifactStore

_CONTENT_PREFIX = "content/"


class ArtifactCache:
    """Downloads each content-addressed artifact once per node; least recently used files go when it grows.

    A store on the local disk is read in place. Other keys may change their content, so they are never kept.
    """

    def __init__(self, store: ArtifactStore, directory: Path, *, max_bytes: int) -> None:
        self._store = store
        self._directory = directory
        self._max_bytes = max_bytes

    def fetch(self, key: str, work_dir: Path) -> Path:
        """A local path of the artifact, to be read only. Raises FileNotFoundError."""
        if self._store.local_root is not None:
            path = self._store.local_path(key)
            if path is None:
                raise FileNotFoundError(key)
            return path
        if not key.startswith(_CONTENT_PREFIX):
            return self._download(key, work_dir / "fetched" / key)
        path = self._directory / key
        if path.is_file():
            path.touch()
        else:
            self._make_room(self._store.size(key) or 0)
            self._download(key, path)
        # A link of the task's own: another worker that makes room does not take the file from under this one.
        link = work_dir / "fetched" / key
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.hardlink_to(path)
        return link

    def _download(self, key: str, target: Path) -> Path:
        target.parent.mkdir(parents=True, exist_ok=True)
        self._store.download(key, target)
        return target

    def _make_room(self, size: int) -> None:
        files = sorted(
            (stat.st_mtime, stat.st_size, path)
            for path in self._directory.rglob("*")
            if path.is_file() and (stat := path.stat())
        )
        used = sum(file_size for _, file_size, _ in files)
        for _, file_size, path in files:
            if used + size <= self._max_bytes:
                return
            path.unlink(missing_ok=True)
            used -= file_size
