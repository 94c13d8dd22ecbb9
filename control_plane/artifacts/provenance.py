"""How a file was made, as its reader may know it: files by their ids, models by id, hub and revision. Where files lie
in the store, folders of the farm's machines and addresses of its own stores are nobody's business."""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from control_plane.accounts.actor import Actor
from control_plane.artifacts import tables
from control_plane.artifacts.schemas import FileProvenance, MadeBy, MadeFrom
from control_plane.errors import NotFound
from control_plane.work import Work
from models.specs import Helped, Provenance
from runtime.artifacts import CONTENT

_KEY = re.compile(rf"{CONTENT}/[0-9a-f]{{2}}/[0-9a-f]{{64}}(\.\w+)?")
_OF_A_HUB = re.compile(r"[\w.-]+/[\w.-]+@[\w./-]+")


async def of_file(work: Work, actor: Actor, artifact_id: str) -> FileProvenance:
    """Raises NotFound for a file that is not there, that the actor may not read, or that the farm did not make."""
    row = await tables.load_artifact(work.session, actor, artifact_id)
    if row.provenance is None:
        raise NotFound("没有这个文件的生成记录", "nothing is known of how such a file was made", field="artifact_id")
    made = Provenance.model_validate(row.provenance)
    keys = [*made.parents, *_keys(made.parameters), *_keys(made.options)]
    ids = await tables.ids_of_keys(work.session, row.tenant_id, keys)
    by = _made_by(work, made)
    return FileProvenance(
        artifact_id=row.id,
        file_url=row.id,
        task_kind=made.task_kind,
        model_id=by.model_id,
        model_name=by.model_name,
        license=by.license,
        source=by.source,
        revision=by.revision,
        weights_sha256=by.weights_sha256,
        seed=made.seed,
        request=_without_keys(made.spec),
        parameters=_with_ids(made.parameters, ids),
        options=_without_places(_with_ids(made.options, ids)),
        helpers={what: _made_by(work, helper) for what, helper in made.helpers.items()},
        parents=[MadeFrom(artifact_id=ids[key], file_url=ids[key]) for key in made.parents if key in ids],
        timings=made.timings_s,
        software=made.software,
    )


def _made_by(work: Work, made: Provenance | Helped) -> MadeBy:
    model = work.services.catalog.get(made.model)
    return MadeBy(
        model_id=made.model,
        model_name=model.display_name if model is not None else made.model,
        license=model.license if model is not None else None,
        source=made.source if made.source is not None and _OF_A_HUB.fullmatch(made.source) else None,
        revision=made.revision,
        weights_sha256=made.weights_sha256,
    )


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _keys(inner)
    elif isinstance(value, str) and _KEY.fullmatch(value):
        yield value


def _with_ids(value: Any, ids: Mapping[str, str]) -> Any:
    """Every store key as the id of its file; that of a file which is not there any more is left out."""
    if isinstance(value, dict):
        return {name: _with_ids(inner, ids) for name, inner in value.items() if not _is_gone(inner, ids)}
    if isinstance(value, list):
        return [_with_ids(inner, ids) for inner in value if not _is_gone(inner, ids)]
    return ids.get(value, value) if isinstance(value, str) else value


def _is_gone(value: Any, ids: Mapping[str, str]) -> bool:
    return isinstance(value, str) and value not in ids and _KEY.fullmatch(value) is not None


def _without_places(value: Any) -> Any:
    """An absolute path as the file's name, an address as nothing. Of options, which an operator writes: in what a user
    writes, a slash is a slash."""
    if isinstance(value, dict):
        return {name: _without_places(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_without_places(inner) for inner in value]
    if isinstance(value, str) and "://" in value:
        return ""
    return PurePosixPath(value).name if isinstance(value, str) and value.startswith("/") else value


def _without_keys(value: Any) -> Any:
    """A spec without where its files are stored: ``parents`` tells of them by ids."""
    if isinstance(value, dict):
        return {name: _without_keys(inner) for name, inner in value.items() if not name.endswith(("_key", "_keys"))}
    if isinstance(value, list):
        return [_without_keys(inner) for inner in value]
    return value
