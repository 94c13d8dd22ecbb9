"""Taking files in: where to upload to, and what becomes of an upload when it is registered.

Nothing is lost by a crash: the upload stays until the registration has committed, a copy under its content's key
without a row is garbage that the collector removes, and so is an upload that was registered or never is.
"""

import asyncio
import hashlib
from datetime import timedelta
from pathlib import Path

from control_plane.accounts.access import hold_space
from control_plane.accounts.actor import Actor
from control_plane.artifacts import disk, uploads
from control_plane.artifacts import tables as artifacts
from control_plane.errors import AlreadyExists, InvalidParameter, UploadFailed
from control_plane.inputs import media, tables
from control_plane.inputs.schemas import Attachment, RegisterAttachment, UploadConfig
from control_plane.moderation.hook import check_texts
from control_plane.work import Work
from models.specs import StoredArtifact
from runtime.artifacts import ArtifactStore, content_key
from runtime.ids import new_id

UPLOAD_TTL_S = 3600
REGISTRATION_TTL_S = 2 * UPLOAD_TTL_S
"""An upload that has not been registered by then is garbage."""


async def upload_config(work: Work, actor: Actor) -> UploadConfig:
    """Raises StorageFull where the tenant has no room left, TooManyRequests for too many that are not registered."""
    upload_id = await uploads.issue(work.session, work.services.settings, actor.tenant_id, REGISTRATION_TTL_S)
    signer = work.services.signer
    presigned = await work.services.store.presigned_put(uploads.upload_key(upload_id), timedelta(seconds=UPLOAD_TTL_S))
    return UploadConfig(
        upload_url=presigned or signer.upload_url(upload_id, UPLOAD_TTL_S),
        file_url=signer.registration_url(upload_id, actor.user_id, REGISTRATION_TTL_S),
        file_max_size=work.services.settings.upload_max_bytes,
        allowed_types=list(media.ALLOWED_TYPES),
    )


async def register_attachment(work: Work, actor: Actor, request: RegisterAttachment) -> Attachment:
    """Take an upload in: what its bytes are is checked here, and it moves to its content-addressed key.

    Raises UploadFailed where the bytes are not what the request says of them, StorageFull where the tenant has no room.
    """
    upload_id = work.services.signer.upload_id_of(request.file_url, actor.user_id)
    if upload_id is None:
        raise InvalidParameter(
            "不是 upload-config 给您的地址，或已过期",
            "not a file_url that upload-config gave you, or it has expired",
            field="file_url",
        )
    _check_name(request.file_name)
    await _check_new(work, upload_id)
    claimed = media.claimed_type(request.file_type, request.file_category)
    size = await work.services.store.size_async(uploads.upload_key(upload_id))
    if size is None:
        raise await _nothing_there(work, upload_id)
    _check_size(work, request, size)
    await disk.check(work.session, work.services.settings, actor.tenant_id, size)
    try:
        stored = await _store(work, request, uploads.upload_key(upload_id), claimed)
    except FileNotFoundError as error:
        raise await _nothing_there(work, upload_id) from error
    tenant_id = await hold_space(work.session, actor)
    await uploads.close(work.session, upload_id)
    await _check_new(work, upload_id)  # again: somebody may have been faster meanwhile
    artifact_id = await artifacts.keep(work.session, tenant_id, request.file_name, stored)
    row = tables.AttachmentRow(
        id=new_id("att"),
        tenant_id=tenant_id,
        upload_id=upload_id,
        artifact_id=artifact_id,
        file_name=request.file_name,
        file_type=stored.media_type,
        file_category=request.file_category,
        file_size=size,
    )
    work.session.add(row)
    await work.session.flush()
    work.afterwards(lambda: work.services.store.delete_async(uploads.upload_key(upload_id)))
    return Attachment(
        id=row.id,
        file_name=row.file_name,
        file_url=artifact_id,
        file_size=size,
        upload_status="completed",
        created_at=row.created_at,
    )


async def _check_new(work: Work, upload_id: str) -> None:
    if await tables.attachment_by_upload(work.session, upload_id) is not None:
        raise AlreadyExists("该文件已登记", "this upload is registered already", field="file_url")


async def _nothing_there(work: Work, upload_id: str) -> UploadFailed:
    """Raises AlreadyExists where the upload is gone because somebody has registered it meanwhile."""
    await _check_new(work, upload_id)
    return UploadFailed("尚未上传", "nothing was uploaded there", field="file_url")


def _check_name(name: str) -> None:
    """A name, not a path: it is what a browser saves a download as."""
    if name.strip() in {"", ".", ".."} or any(char in "/\\" or not char.isprintable() for char in name):
        raise UploadFailed("文件名不可含路径或控制字符", "a name without path or control characters", field="file_name")


def _check_size(work: Work, request: RegisterAttachment, size: int) -> None:
    if size == 0:
        raise UploadFailed("文件为空", "the file is empty", field="file_url")
    if size != request.file_size:
        raise UploadFailed(f"实际 {size} 字节", f"the file has {size} bytes", field="file_size")
    settings = work.services.settings
    longest = settings.upload_max_bytes
    if request.file_category == "document":
        longest = min(longest, 4 * settings.content_max_chars)  # bytes: no character of UTF-8 has more
    if size > longest:
        raise UploadFailed(f"最多 {longest} 字节", f"at most {longest} bytes", field="file_size")


async def _store(work: Work, request: RegisterAttachment, key: str, claimed: str) -> StoredArtifact:
    """Look into the upload and copy it to where it stays. Raises FileNotFoundError where it is not there."""
    store = work.services.store
    with store.scratch() as directory:
        upload = directory / "upload"
        sent_sha256 = await asyncio.to_thread(_take, store, key, upload, request)
        if request.file_hash is not None and request.file_hash.lower() != sent_sha256:
            raise UploadFailed("sha256 不符", "the sha256 differs", field="file_hash")
        checked = await asyncio.to_thread(media.checked_file, upload, claimed)
        if checked.media_type.startswith("text/"):
            text = await asyncio.to_thread(checked.path.read_text, "utf-8-sig")
            await check_texts(work.services.moderator, [("file_url", text)])
        return await asyncio.to_thread(_keep, store, checked)


def _take(store: ArtifactStore, key: str, target: Path, request: RegisterAttachment) -> str:
    """The upload as it is now, which nobody can change any more, and its SHA-256."""
    store.take(key, target)
    if target.stat().st_size != request.file_size:
        raise UploadFailed("上传在登记时被改写", "the upload changed while it was registered", field="file_size")
    return _sha256(target)


def _keep(store: ArtifactStore, checked: media.CheckedFile) -> StoredArtifact:
    sha256 = _sha256(checked.path)
    key = content_key(sha256, media.SUFFIXES[checked.media_type])
    store.keep_file(key, checked.path)
    return StoredArtifact(key=key, media_type=checked.media_type, size=checked.path.stat().st_size, sha256=sha256)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
