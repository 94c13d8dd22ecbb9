"""What was rendered once is not rendered again: a task that asks for the same takes the files of the first.

Engines are pure, so tests see the files they would have seen. One folder serves all processes of a run.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from models.specs import StoredArtifact
from runtime.artifacts import ArtifactStore
from scheduler.ports import Assignment

KINDS = {"text_to_image", "image_to_image", "image_to_video", "speech", "music"}
"""Writing a script and encoding a film read more than their spec and stay real."""


class Rendered:
    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def take(self, assignment: Assignment, store: ArtifactStore) -> dict[str, Any] | None:
        """The result of the same task with its files put into the store; None for the first of its kind."""
        note = self._note(assignment)
        if assignment.kind not in KINDS or not note.exists():
            return None
        result: dict[str, Any] = json.loads(note.read_text())
        for stored in stored_in(result):
            store.put_file(stored.key, self._file(stored))
        return result

    def keep(self, assignment: Assignment, result: dict[str, Any], store: ArtifactStore) -> None:
        """Files first, the note last, each by a rename: another process sees all of it or nothing."""
        if assignment.kind not in KINDS:
            return
        for stored in stored_in(result):
            self._place(self._file(stored), store.get_bytes(stored.key))
        self._place(self._note(assignment), json.dumps(result).encode())

    def _file(self, stored: StoredArtifact) -> Path:
        return self._directory / stored.key.replace("/", "-")

    def _place(self, target: Path, data: bytes) -> None:
        if target.exists():
            return
        draft = target.with_name(f"{target.name}.{os.getpid()}.{os.urandom(4).hex()}")
        draft.write_bytes(data)
        draft.replace(target)

    def _note(self, assignment: Assignment) -> Path:
        asked = json.dumps([assignment.kind, assignment.model, assignment.spec], sort_keys=True, ensure_ascii=False)
        return self._directory / f"{hashlib.sha256(asked.encode()).hexdigest()}.json"


def rendered_in(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    base = tmp_path_factory.getbasetemp()
    return Rendered((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "rendered")


def stored_in(result: Any) -> list[StoredArtifact]:
    """The files that a task's result names."""
    if isinstance(result, dict):
        if result.keys() == StoredArtifact.model_fields.keys():
            return [StoredArtifact.model_validate(result)]
        return [stored for value in result.values() for stored in stored_in(value)]
    if isinstance(result, list):
        return [stored for value in result for stored in stored_in(value)]
    return []
