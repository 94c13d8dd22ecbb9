"""Signed URLs: what they allow, and that nothing else passes."""

import time
from urllib.parse import parse_qs, urlsplit

import pytest

from control_plane.web.signing import Signer

ARTIFACT = "art_" + "0" * 26
UPLOAD = "upl_" + "0" * 26


@pytest.fixture
def signer() -> Signer:
    return Signer("k" * 40, "https://film.example.org/base", 3600)


def parts(url: str) -> tuple[str, str, str]:
    split = urlsplit(url)
    query = parse_qs(split.query)
    return split.path.removeprefix("/base"), query["exp"][0], query["sig"][0]


def test_a_signed_url_is_valid_for_its_own_method_and_path_only(signer: Signer) -> None:
    path, expires, signature = parts(signer.file_url(ARTIFACT))
    assert signer.is_valid("GET", path, expires, signature)
    assert not signer.is_valid("PUT", path, expires, signature)
    assert not signer.is_valid("GET", path.replace("0", "1"), expires, signature)
    assert not signer.is_valid("GET", path, str(int(expires) + 1), signature)
    assert not Signer("other" * 10, signer.public_url, 3600).is_valid("GET", path, expires, signature)


@pytest.mark.parametrize("expires", ["", "x", "-1", "1e9", "99999999999999", "٣"])
def test_nonsense_expiries_are_refused(signer: Signer, expires: str) -> None:
    assert not signer.is_valid("GET", f"/files/{ARTIFACT}", expires, "sig")


def test_an_expired_url_is_refused(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    path, expires, signature = parts(signer.file_url(ARTIFACT))
    monkeypatch.setattr("control_plane.web.signing.time.time", lambda: int(expires) + 1)
    assert not signer.is_valid("GET", path, expires, signature)


def test_an_upload_is_registered_by_its_user_in_time(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    url = signer.registration_url(UPLOAD, "usr_one", 60)
    assert signer.upload_id_of(url, "usr_one") == UPLOAD
    assert signer.upload_id_of(url, "usr_two") is None
    assert signer.upload_id_of(url.partition("?")[0], "usr_one") is None
    assert signer.upload_id_of(signer.upload_url(UPLOAD, 60), "usr_one") is None
    assert signer.upload_id_of(url.replace("film.example.org", "evil.example.org"), "usr_one") is None
    now = time.time()
    monkeypatch.setattr("control_plane.web.signing.time.time", lambda: now + 61)
    assert signer.upload_id_of(url, "usr_one") is None


def test_only_urls_of_our_own_name_artifacts(signer: Signer) -> None:
    assert signer.artifact_id_of(signer.file_url(ARTIFACT)) == ARTIFACT
    for url in (
        f"https://evil.example.org/base/files/{ARTIFACT}",
        f"http://film.example.org/base/files/{ARTIFACT}",
        f"https://film.example.org@evil.org/base/files/{ARTIFACT}",
        f"https://film.example.org/base/files/../uploads/{UPLOAD}",
        "https://[::1",
        "file:///etc/passwd",
    ):
        assert signer.artifact_id_of(url) is None


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="SECRET_KEY"):
        Signer("short", "http://x", 1)
