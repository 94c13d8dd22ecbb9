"""How a file was made, as its reader may know it."""

from typing import Any

from control_plane.accounts.actor import Actor
from control_plane.artifacts import tables
from control_plane.artifacts.schemas import FileProvenance, MadeFrom
from control_plane.errors import NotFound
from control_plane.work import Work
from models.specs import Provenance


async def of_file(work: Work, actor: Actor, artifact_id: str) -> FileProvenance:
    """Raises NotFound for a file that is not there, that the actor may not read, or that the farm did not make."""
    row = await tables.load_artifact(work.session, actor, artifact_id)
    if row.provenance is None:
        raise NotFound("没有这个文件的生成记录", "nothing is known of how such a file was made", field="artifact_id")
    made = Provenance.model_validate(row.provenance)
    ids = await tables.ids_of_keys(work.session, row.tenant_id, made.parents)
    model = work.services.catalog.get(made.model)
    return FileProvenance(
        artifact_id=row.id,
        file_url=row.id,
        task_kind=made.task_kind,
        model_id=made.model,
        model_name=model.display_name if model is not None else made.model,
        license=model.license if model is not None else None,
        source=made.source,
        revision=made.revision,
        weights_sha256=made.weights_sha256,
        seed=made.seed,
        request=_without_keys(made.spec),
        parameters=made.parameters,
        parents=[MadeFrom(artifact_id=ids[key], file_url=ids[key]) for key in made.parents if key in ids],
        timings=made.timings_s,
        software=made.software,
    )


def _without_keys(value: Any) -> Any:
    """A spec without where its files are stored: ``parents`` tells of them by ids."""
    if isinstance(value, dict):
        return {name: _without_keys(inner) for name, inner in value.items() if not name.endswith(("_key", "_keys"))}
    if isinstance(value, list):
        return [_without_keys(inner) for inner in value]
    return value
