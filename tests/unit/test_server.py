"""Which processes `reelfarm up` runs, and what they are told."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from runtime.embedded.datadir import DataDirectory
from runtime.embedded.server import ServerOptions, _loopback, _Server, _url
from runtime.settings import Settings


def server(tmp_path: Path, settings: Settings) -> _Server:
    directory = DataDirectory(tmp_path)
    directory.create()
    options = ServerOptions(tmp_path, "127.0.0.1", 8400, 2, settings)
    return _Server(options, directory, Path("/run/reelfarm"), 8400, guardian=None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("external", "names"),
    [
        ({}, ["ray", "postgres", "migrate", "api", "scheduler"]),
        ({"ray_address": "head:6379"}, ["postgres", "migrate", "api", "scheduler"]),
        ({"database_url": SecretStr("postgresql+asyncpg://db/x")}, ["ray", "migrate", "api", "scheduler"]),
    ],
)
def test_it_runs_no_server_that_is_given(tmp_path: Path, external: dict[str, object], names: list[str]) -> None:
    services = server(tmp_path, Settings(**external))._services()  # type: ignore[arg-type]
    assert [service.name for service in services] == names
    for service in services:
        assert set(service.requires) <= set(names)


def test_processes_are_told_the_given_addresses(tmp_path: Path) -> None:
    settings = Settings(
        database_url=SecretStr("postgresql+asyncpg://db/x"),
        redis_url=SecretStr("redis://cache"),
        ray_address="head:6379",
        artifacts_url="s3://bucket",
        secret_key=SecretStr("k" * 32),
    )
    given = server(tmp_path, settings)
    given._services()
    environment = given._environment()
    assert environment["REELFARM_DATABASE_URL"] == "postgresql+asyncpg://db/x"
    assert environment["REELFARM_REDIS_URL"] == "redis://cache"
    assert environment["REELFARM_RAY_ADDRESS"] == "head:6379"
    assert environment["REELFARM_ARTIFACTS_URL"] == "s3://bucket"
    assert environment["REELFARM_SECRET_KEY"] == "k" * 32
    assert not (tmp_path / "secret.key").exists()


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1", "http://127.0.0.1:1"), ("0.0.0.0", "http://127.0.0.1:1"), ("::", "http://[::1]:1")],  # noqa: S104
)
def test_an_address_that_stands_for_all_is_reached_on_the_loopback(host: str, url: str) -> None:
    assert _url(_loopback(host), 1) == url
