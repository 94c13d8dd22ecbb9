"""Responses about files."""

from typing import Any

from control_plane.web.models import FileUrl, ResponseModel


class MadeFrom(ResponseModel):
    """A file that another one was made from."""

    artifact_id: str
    file_url: FileUrl


class FileProvenance(ResponseModel):
    """How a file was made. ``request`` is what was asked of the model's task and ``parameters`` what the model was
    given for it; with the same model, revision, seed and request it comes out the same. ``timings`` are seconds by
    phase."""

    artifact_id: str
    file_url: FileUrl
    task_kind: str
    model_id: str
    model_name: str
    license: str | None = None
    source: str | None = None
    revision: str | None = None
    weights_sha256: str | None = None
    seed: int | None = None
    request: dict[str, Any]
    parameters: dict[str, Any]
    parents: list[MadeFrom]
    timings: dict[str, float]
    software: dict[str, str]
