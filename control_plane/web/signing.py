"""Signed URLs of files and uploads: an HMAC over what is allowed and until when."""

import base64
import hashlib
import hmac
import re
import time
from urllib.parse import parse_qsl, urlsplit

_ARTIFACT_PATH = re.compile(r"^/files/(art_[0-9a-z]{26})$")
_UPLOAD_PATH = re.compile(r"^/uploads/(upl_[0-9a-z]{26})$")


class Signer:
    """Makes and checks URLs under the public address. Never stored: a URL is signed when a response is written."""

    def __init__(self, secret: str, public_url: str, ttl_s: int) -> None:
        if len(secret) < 32:
            raise ValueError("REELFARM_SECRET_KEY must have at least 32 characters")
        self._secret = hashlib.sha256(b"reelfarm.files:" + secret.encode()).digest()
        self.public_url = public_url.rstrip("/")
        self.ttl_s = ttl_s

    def file_url(self, artifact_id: str, *, download: bool = False) -> str:
        """A link to read one artifact. Its expiry is rounded so that browsers can cache what they saw already."""
        step = max(1, self.ttl_s // 4)
        expires = (int(time.time()) // step + 1) * step + self.ttl_s
        return self._url("GET", f"/files/{artifact_id}", expires, "&download=1" if download else "")

    def upload_url(self, upload_id: str, ttl_s: int) -> str:
        return self._url("PUT", f"/uploads/{upload_id}", int(time.time()) + ttl_s)

    def registration_url(self, upload_id: str, user_id: str, ttl_s: int) -> str:
        """The address by which this user may register an upload; it cannot be read or written through."""
        return self._url(f"REGISTER {user_id}", f"/uploads/{upload_id}", int(time.time()) + ttl_s)

    def is_valid(self, method: str, path: str, expires: str, signature: str) -> bool:
        if not expires.isascii() or not expires.isdigit() or len(expires) > 12 or int(expires) < time.time():
            return False
        return hmac.compare_digest(self._signature(method, path, int(expires)).encode(), signature.encode())

    def artifact_id_of(self, url: str) -> str | None:
        """The artifact that a URL of ours names; None for any other URL."""
        return self._own_id(url, _ARTIFACT_PATH)

    def upload_id_of(self, url: str, user_id: str) -> str | None:
        """The upload that a registration URL names; None unless it was given to this user and has not expired."""
        upload_id = self._own_id(url, _UPLOAD_PATH)
        if upload_id is None:
            return None
        query = dict(parse_qsl(urlsplit(url).query))
        expires, signature = query.get("exp", ""), query.get("sig", "")
        is_theirs = self.is_valid(f"REGISTER {user_id}", f"/uploads/{upload_id}", expires, signature)
        return upload_id if is_theirs else None

    def _own_id(self, url: str, pattern: re.Pattern[str]) -> str | None:
        try:
            parts, own = urlsplit(url), urlsplit(self.public_url)
        except ValueError:
            return None
        if (parts.scheme, parts.netloc) not in {(own.scheme, own.netloc), ("", "")}:
            return None
        match = pattern.match(parts.path.removeprefix(own.path))
        return match[1] if match else None

    def _url(self, method: str, path: str, expires: int, extra: str = "") -> str:
        return f"{self.public_url}{path}?exp={expires}&sig={self._signature(method, path, expires)}{extra}"

    def _signature(self, method: str, path: str, expires: int) -> str:
        digest = hmac.new(self._secret, f"{method} {path} {expires}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest[:18]).decode()
