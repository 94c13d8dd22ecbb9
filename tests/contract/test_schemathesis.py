"""Schemathesis over the whole specification, every check on, against a served control plane with things in it.

A new route takes part by being declared. Ids are known by the name of their path parameter: `ids` may have several of a
name, and among them some are not of the kind that a route wants. What a DELETE may take away is kept apart.
"""

import asyncio
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
import pytest

from control_plane.app import ENDPOINTS
from control_plane.web.routes import Method
from pipelines.registry import TASK_KINDS
from scheduler.task import OutcomeClass
from tests.contract.watch import operations
from tests.integration.control_plane.conftest import Client, Plane, generated, submission

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("schemathesis")]

EXAMPLES = 1
"""Random requests for each endpoint and kind of data, beside those that are worked out from the schema's bounds."""

Ids = dict[str, list[str]]

# Services refuse what no schema tells, such as a model that the catalog does not have or a quota that is used up.
REFUSED_BY_RULES = ["2xx", "400", "401", "402", "403", "404", "409", "429"]
OF_MANY_KINDS = {"task_id", "asset_id"}
IN_QUERIES = {"element_id": "query"}
ENDS_THE_SESSION = "/auth/(logout|change-password)$|/leave$"


async def prepared(user: Client) -> Ids:
    """Ids of what the user has, by parameter name."""
    project, package = await generated(user)
    clips = (await user.get(f"/projects/{project}/timeline"))["clips"]
    spoken = next(clip["id"] for clip in clips if clip.get("dialogue"))
    await user.put(f"/timeline-clips/{spoken}/narration", {"text_content": "夜里。"})
    lines = [line["id"] for line in (await user.get(f"/timeline-clips/{spoken}/audio"))["dialogue"]]
    video = await user.post(f"/timeline-clips/{clips[0]['id']}/generate-video", {"model_id": "draft-motion"})
    steps = (await user.get(f"/generation/progress/{project}"))["tasks"]
    export = await user.post(
        f"/projects/{project}/export",
        {"config": {"resolution": "720p", "width": 1280, "height": 720, "format": "MP4", "aspect_ratio": "16:9"}},
    )
    over = {"completed", "failed"}
    await user.until(f"/export-tasks/{export['export_task_id']}", lambda a: a["status"] in over)
    files = (await user.get(f"/projects/{project}/export-files"))["list"]
    return {
        "project_id": [project],
        "package_id": [package],
        "element_id": [(await user.get(f"/material-packages/{package}"))["materials"]["storyline"]["id"]],
        "clip_id": [spoken],
        "dialogue_id": lines,
        "task_id": [video["generation_id"], export["export_task_id"], *(step["task_id"] for step in steps)],
        "file_id": [file["id"] for file in files],
        "asset_id": [voice["id"] for voice in (await user.get("/assets/voices"))["list"][:2]],
        "user_id": [(await user.get("/user/me"))["id"]],
    }


async def disposable(user: Client) -> Ids:
    """Ids that a DELETE may take away."""
    return {"project_id": [(await user.post("/input/submit", submission()))["project_id"]]}


def config(token: str, spare_token: str, ids: Ids, disposable_ids: Ids, file_url: str) -> str:
    """A schemathesis.toml; JSON's strings, lists and inline tables of one level are TOML's."""
    names = {name: f"{name}s" for name in ids}
    lines = [
        "warnings = false",
        "[generation]",
        "deterministic = true",
        f"max-examples = {EXAMPLES}",
        "[checks.positive_data_acceptance]",
        f"expected-statuses = {_toml(REFUSED_BY_RULES)}",
        "[checks.negative_data_rejection]",
        f"expected-statuses = {_toml(['400', '401', '402', '403', '404', '405', '409', '429'])}",
        "[headers]",
        f"Authorization = {_toml('Bearer ' + token)}",
        "[phases.coverage]",
        'unexpected-methods = ["PATCH"]',  # every other one is answered by the same line of the router
        "[phases.stateful]",
        "enabled = false",
    ]
    for name, values in ids.items():
        lines += [f"[dictionaries.{names[name]}]", f"values = {_toml(values)}"]
    lines += ["[parameters]"]
    for name, known in names.items():
        lines.append(f'"{IN_QUERIES.get(name, "path")}.{name}" = {{dictionary = "{known}"}}')
    link = urlsplit(file_url)
    signed = {f"query.{name}": value for name, value in parse_qsl(link.query)}
    operations: list[tuple[dict[str, Any], dict[str, Any], dict[str, str]]] = [
        ({"include-path": "/files/{artifact_id}"}, {"path.artifact_id": link.path.rpartition("/")[2]} | signed, {}),
        ({"include-path-regex": ENDS_THE_SESSION}, {}, {"Authorization": f"Bearer {spare_token}"}),
        (
            {"include-method": "DELETE"},
            {f"path.{name}": disposable_ids.get(name, ["gone"])[0] for name in ids if name not in IN_QUERIES},
            {},
        ),
    ]
    for match, parameters, headers in operations:
        lines += ["[[operations]]", *(f"{key} = {_toml(value)}" for key, value in match.items())]
        lines += [f"parameters = {_inline(parameters)}", f"headers = {_inline(headers)}"]
    return "\n".join(lines) + "\n"


def _inline(table: dict[str, str]) -> str:
    return "{" + ", ".join(f"{_toml(key)} = {_toml(value)}" for key, value in table.items()) + "}"


def _toml(value: Any) -> str:
    return orjson.dumps(value).decode()


async def schemathesis(directory: Path, settings: str, url: str, *options: str) -> tuple[int, str]:
    (directory / "schemathesis.toml").write_text(settings, encoding="utf-8")
    program = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"]
    environment: Mapping[str, str] = {**os.environ, "PYTHONHASHSEED": "0", "NO_COLOR": "1"}
    process = await asyncio.create_subprocess_exec(
        *program,
        *("--config-file", str(directory / "schemathesis.toml"), "run", f"{url}/api/v1/openapi.json"),
        *("--checks", "all", "--seed", "1", "--continue-on-failure", "--generation-database", "none"),
        *("--no-shrink", "--suppress-health-check", "all", *options),
        cwd=directory,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


async def test_the_specification_holds(plane: Plane, tmp_path: Path) -> None:
    user = await plane.new_user("spec", is_platform_admin=True)
    ids, may_go = await prepared(user), await disposable(user)
    link = (await user.get(f"/export-files/{ids['file_id'][0]}/download-url"))["download_url"]
    spare = await plane.anonymous.login(user.name)
    settings = config(user.token, spare.token, ids, may_go, link)
    # What is asked for from here on is not made: the answers are looked at, not the films.
    plane.farm.instead = dict.fromkeys(TASK_KINDS, lambda assignment: {"outcome": OutcomeClass.USER})
    code, output = await schemathesis(tmp_path, settings, user.url)
    assert code == 0, output
    assert f"Tested: {sum(1 for _ in operations())}" in output
    known = set(ids) - OF_MANY_KINDS
    missed = [
        name
        for name in (f"{endpoint.method} {endpoint.path}" for endpoint in ENDPOINTS if endpoint.method is Method.GET)
        if set(re.findall(r"{(\w+)}", name)) <= known and not plane.watch.answers[name, 200]
    ]
    assert missed == [], "never reached what is there"
