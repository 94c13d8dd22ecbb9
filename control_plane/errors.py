"""Errors that reach the client: a code of the API document, an HTTP status, a message in two languages, a field."""

from typing import ClassVar


class ApiError(Exception):
    """Base of all of them. ``field`` is the dotted path of the request field at fault, shown in the message."""

    code: ClassVar[int] = 1000
    status: ClassVar[int] = 500
    zh: ClassVar[str] = "服务器内部错误"
    en: ClassVar[str] = "internal server error"

    def __init__(self, zh: str | None = None, en: str | None = None, *, field: str | None = None) -> None:
        self.detail_zh = zh
        self.detail_en = en or zh
        self.field = field
        super().__init__(self.message("en"))

    def message(self, language: str) -> str:
        """The whole message, such as ``参数错误：config.aspect_ratio：不支持 3:1``."""
        title, detail, colon = (self.en, self.detail_en, ": ") if language == "en" else (self.zh, self.detail_zh, "：")
        return colon.join(part for part in (title, self.field, detail) if part)


class InvalidParameter(ApiError):
    code, status, zh, en = 1001, 400, "参数错误", "invalid parameter"


class NotLoggedIn(ApiError):
    code, status, zh, en = 1002, 401, "未登录", "not logged in"


class Forbidden(ApiError):
    code, status, zh, en = 1003, 403, "无权限", "permission denied"


class NotFound(ApiError):
    code, status, zh, en = 1004, 404, "资源不存在", "not found"


class AlreadyExists(ApiError):
    code, status, zh, en = 1005, 409, "资源冲突", "conflict"


class QuotaExceeded(ApiError):
    """``required`` and ``remaining`` are quota units."""

    code, status, zh, en = 1006, 402, "配额不足", "insufficient quota"

    def __init__(self, required: int, remaining: int) -> None:
        super().__init__(f"需要 {required}，剩余 {remaining}", f"{required} needed, {remaining} left")
        self.required = required
        self.remaining = remaining


class UploadFailed(ApiError):
    code, status, zh, en = 1007, 400, "文件上传失败", "upload failed"


class InvalidInvite(ApiError):
    code, status, zh, en = 1010, 400, "邀请码无效", "invalid invite code"


class TooManyRequests(ApiError):
    code, status, zh, en = 1011, 429, "请求过于频繁", "too many requests"


class Unavailable(ApiError):
    """Something the server needs, such as its database, is away for the moment; trying again can help."""

    code, status, zh, en = 1000, 503, "服务暂时不可用，请稍后重试", "not available at the moment, try again"


class NoModel(ApiError):
    """The operator's catalog has no model for a kind of task; trying again does not help."""

    code, status, zh, en = 1000, 501, "此服务没有所需的模型", "this farm has no model for it"

    def __init__(self, kind: str) -> None:
        super().__init__(kind)


class StorageFull(ApiError):
    code, status, zh, en = 1000, 507, "存储空间不足", "storage is full"
