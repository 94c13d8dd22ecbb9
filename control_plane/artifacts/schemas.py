"""Responses about files."""

from typing import Any

from control_plane.web.models import FileUrl, ResponseModel


class MadeFrom(ResponseModel):
    """A file that another one was made from."""

    artifact_id: str
    file_url: FileUrl


class MadeBy(ResponseModel):
    """A model and exactly which weights of it. ``source`` is a hub's id and revision as the catalog asks for them, and
    ``revision`` the commit that this meant; weights from elsewhere are named by their digest alone."""

    model_id: str
    model_name: str
    license: str | None = None
    source: str | None = None
    revision: str | None = None
    weights_sha256: str | None = None


class FileProvenance(MadeBy):
    """How a file was made. ``request`` is what was asked of the model's task, ``parameters`` what the model was given
    for it, with files by their ids, and ``options`` are those of the model that held; with the same model, revision,
    options, seed and request it comes out the same. ``helpers`` are the models that helped, by what they did.
    ``timings`` are seconds by phase."""

    artifact_id: str
    file_url: FileUrl
    task_kind: str
    seed: int | None = None
    request: dict[str, Any]
    parameters: dict[str, Any]
    options: dict[str, Any]
    helpers: dict[str, MadeBy]
    parents: list[MadeFrom]
    timings: dict[str, float]
    software: dict[str, str]
