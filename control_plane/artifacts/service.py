"""Reading artifacts that a client names by a URL of ours."""

from functools import partial

from control_plane.accounts.actor import Actor
from control_plane.artifacts import tables
from control_plane.assets.previews import ask_for_file
from control_plane.errors import InvalidParameter
from control_plane.work import Work


async def readable(work: Work, actor: Actor, url: str, *, field: str, media: str | None = None) -> tables.ArtifactRow:
    """The artifact that a client's URL names. ``media`` is the type it must have, such as ``image`` or ``audio``.

    Raises InvalidParameter for a URL that is not ours, names nothing, or names a stranger's file: the server fetches
    nothing from elsewhere.
    """
    artifact_id = work.services.signer.artifact_id_of(url)
    row = await tables.readable_artifact(work.session, actor, artifact_id) if artifact_id else None
    if row is None:
        raise InvalidParameter(
            "不是本系统可读的文件地址", "not the address of a file here that you may read", field=field
        )
    if row.key is None:
        work.if_refused.append(partial(ask_for_file, artifact_id=row.id))
        raise InvalidParameter("文件尚未生成", "the file is not there yet", field=field)
    if media is not None and not (row.media_type or "").startswith(media + "/"):
        raise InvalidParameter(f"必须是 {media} 文件", f"must be of type {media}", field=field)
    return row
