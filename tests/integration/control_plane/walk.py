"""What the walk over all routes needs to know of them: one line for each kind of id, body and extra route.

A route that is not described here fails the walk, so it cannot be forgotten.
"""

import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from PIL import Image
from pydantic import BaseModel

from control_plane.accounts.actor import Access
from control_plane.web.routes import Endpoint
from tests.integration.control_plane.conftest import Client, Plane, generated, submission
from tests.integration.control_plane.files import fetch_made, upload_sound

EXPORT = {"resolution": "720p", "width": 1280, "height": 720, "format": "MP4", "aspect_ratio": "16:9"}
VIDEO = {"model_id": "draft-motion"}
EDIT = {"modification_type": "text_edit", "new_content": "a"}


@dataclass
class Team:
    """A team that owns one of everything, and those who try to reach it."""

    plane: Plane
    admin: Client
    id: str
    users: dict[str, str]
    """Name of a caller to the user's id."""
    project_id: str = ""
    package_id: str = ""
    known: dict[str, str] = field(default_factory=dict)

    async def spoken_clip(self) -> tuple[str, str]:
        """A clip and a line of dialogue in it."""
        timeline = await self.admin.get(f"/projects/{self.project_id}/timeline")
        for clip in timeline["clips"]:
            audio = await self.admin.get(f"/timeline-clips/{clip['id']}/audio")
            for line in audio.get("dialogue", []):
                return clip["id"], line["id"]
        raise AssertionError("nobody speaks")

    async def id_of(self, endpoint_path: str, name: str) -> str:
        """An id that the team owns for a parameter of a path, made when first asked for."""
        key = next((k for k in (f"{endpoint_path.split('{', maxsplit=1)[0]} {name}", name) if k in IDS), None)
        assert key is not None, f"describe {name} of {endpoint_path} in IDS of {__name__}"
        if key not in self.known:
            self.known[key] = await IDS[key](self)
        return self.known[key]


async def _asset(team: Team, kind: str) -> str:
    tune = (await upload_sound(team.admin, 1.0))["file_url"] if kind == "music" else ""
    body: dict[str, Any] = {
        "characters": {"character_name": "a", "character_type": "other", "image_url": team.known["image"]},
        "styles": {"style_name": "a", "prompt_template": "a"},
        "voices": {"voice_name": "a", "voice_type": "narration", "audio_sample_url": team.known["audio"]},
        "music": {"music_name": "a", "audio_url": tune, "duration": 1},
    }[kind]
    return str((await team.admin.post(f"/assets/{kind}", body))["id"])


async def _attachment(team: Team) -> str:
    return str((await attachment(team.admin))["id"])


async def _picture(team: Team) -> str:
    package = await team.admin.get(f"/material-packages/{team.package_id}")
    return str(package["materials"]["art_style"]["reference_image_url"]).partition("/files/")[2].partition("?")[0]


async def _clip(team: Team) -> str:
    return (await team.spoken_clip())[0]


async def _dialogue(team: Team) -> str:
    return (await team.spoken_clip())[1]


async def _export(team: Team) -> str:
    started = await team.admin.post(f"/projects/{team.project_id}/export", {"config": EXPORT})
    await team.admin.until(
        f"/export-tasks/{started['export_task_id']}",
        lambda a: a["status"] in {"completed", "failed"},
        within_s=120,
    )
    return str(started["export_task_id"])


async def _export_file(team: Team) -> str:
    await team.id_of("/export-tasks/{task_id}", "task_id")
    files = await team.admin.get(f"/projects/{team.project_id}/export-files")
    return str(files["list"][0]["id"])


async def _invite(team: Team) -> str:
    return str((await team.admin.post(f"/teams/{team.id}/invites", {"role": "viewer"}))["id"])


async def _step(team: Team) -> str:
    progress = await team.admin.get(f"/generation/progress/{team.project_id}")
    return str(progress["tasks"][0]["task_id"])


async def _template(team: Team) -> str:
    return str((await team.admin.post("/config-templates", {"template_name": "a", "config_data": {}}))["id"])


async def _video(team: Team) -> str:
    path = f"/timeline-clips/{await _clip(team)}/generate-video"
    return str((await team.admin.post(path, VIDEO))["generation_id"])


async def _value(value: str) -> str:
    return value


IDS: dict[str, Callable[[Team], Awaitable[str]]] = {
    # A parameter's name, or where it is not enough, the path before it and its name.
    "/assets/characters/ asset_id": lambda team: _asset(team, "characters"),
    "/assets/styles/ asset_id": lambda team: _asset(team, "styles"),
    "/assets/voices/ asset_id": lambda team: _asset(team, "voices"),
    "/assets/music/ asset_id": lambda team: _asset(team, "music"),
    "/export-tasks/ task_id": _export,
    "/generation/retry/ task_id": _step,
    "/generation/skip/ task_id": _step,
    "/video-generation-tasks/ task_id": _video,
    "artifact_id": _picture,
    "attachment_id": _attachment,
    "clip_id": _clip,
    "dialogue_id": _dialogue,
    "file_id": _export_file,
    "invite_id": _invite,
    "package_id": lambda team: _value(team.package_id),
    "project_id": lambda team: _value(team.project_id),
    "team_id": lambda team: _value(team.id),
    "template_id": _template,
    "tenant_id": lambda team: _value(team.id),
    "user_id": lambda team: _value(team.users["viewer"]),
}


BODIES: dict[str, dict[str, Any]] = {
    # Where the smallest body that its schema allows is refused before the resource is looked for.
    "POST /input/submit": submission(),
    "POST /material-packages/{package_id}/modify/text": EDIT,
    "POST /projects/{project_id}/generate-batch-videos": VIDEO,
    "POST /projects/{project_id}/export": {"config": EXPORT},
    "POST /timeline-clips/{clip_id}/generate-video": VIDEO,
}

NAMED_IN_BODIES = {"project_id": "project_id", "team_space_id": "team_id", "package_id": "package_id"}
"""Optional fields of bodies and queries that are filled, since they decide whose things are meant."""

PUBLIC = {
    "POST /auth/register",
    "POST /auth/login",
    "POST /auth/refresh",
    "POST /auth/reset-password/request",
    "POST /auth/reset-password",
}
"""The endpoints of the API that are open to everybody. Adding one is a decision."""

CHANGED_BY_READERS = {"POST /teams/{team_id}/leave", "GET /export-files/{file_id}/download-url"}
"""What somebody who only reads may change all the same: their membership, the count of downloads."""

OTHER_ROUTES = {
    # Beside the API: open to everybody, by a signature in the URL, or a WebSocket.
    "GET /files/{artifact_id}": "signed",
    "PUT /uploads/{upload_id}": "signed",
    "GET /ws": "socket",
    "GET /api/v1/ws": "socket",
    "GET /healthz": "open",
    "GET /metrics": "open",
    "GET /pictures/ratios/{name}.png": "open",
    "GET /pictures/models/{name}.png": "open",
    "GET /docs": "open",
    "GET /docs/start.js": "open",
    "GET /docs/{name}": "open",
    "GET /api/v1/openapi.json": "open",
}


def may(access: Access, caller: str) -> bool:
    """Whether a caller of this name may use what the team owns through an endpoint with this access."""
    allowed = {
        Access.USER: {"viewer", "editor", "admin"},
        Access.READ: {"viewer", "editor", "admin"},
        Access.WRITE: {"editor", "admin"},
        Access.MANAGE: {"admin"},
        Access.PLATFORM: {"operator"},
    }
    return caller in allowed[access]


def names_what_the_team_owns(endpoint: Endpoint) -> bool:
    models = [model for model in (endpoint.body, endpoint.query) if model is not None]
    return "{" in endpoint.path or any(NAMED_IN_BODIES.keys() & model.model_fields.keys() for model in models)


async def filled(team: Team, model: type[BaseModel]) -> dict[str, Any]:
    """The smallest value that the model's schema allows, naming what the team owns."""
    schema = model.model_json_schema()
    value: dict[str, Any] = _smallest(schema, schema)
    for name, parameter in NAMED_IN_BODIES.items():
        if name in schema["properties"]:
            value[name] = await team.id_of("", parameter)
    if "team_space_id" in value and "space_type" in schema["properties"]:
        value["space_type"] = "team"
    return value


def _smallest(part: dict[str, Any], schema: dict[str, Any]) -> Any:
    if "$ref" in part:
        return _smallest(schema["$defs"][part["$ref"].rpartition("/")[2]], schema)
    if "default" in part:
        return part["default"]
    if "const" in part:
        return part["const"]
    if "enum" in part:
        return part["enum"][0]
    if "anyOf" in part or "oneOf" in part:
        return _smallest((part.get("anyOf") or part["oneOf"])[0], schema)
    match part.get("type", "object"):
        case "object":
            properties = part.get("properties", {})
            return {name: _smallest(properties[name], schema) for name in part.get("required", [])}
        case "array":
            return [_smallest(part["items"], schema)] * part.get("minItems", 0)
        case "string":
            return "x" * max(1, part.get("minLength", 1))
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return part.get("minimum", part.get("exclusiveMinimum", 0) + 1)


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16), "red").save(buffer, "PNG")
    return buffer.getvalue()


async def attachment(user: Client) -> dict[str, Any]:
    """A picture that the user's current space owns."""
    config = await user.get("/attachments/upload-config")
    async with user.session.put(config["upload_url"], data=png()) as answer:
        assert answer.status == 200, await answer.text()
    body = {
        "file_name": "a.png",
        "file_type": "image/png",
        "file_category": "image",
        "file_size": len(png()),
        "file_url": config["file_url"],
    }
    registered: dict[str, Any] = await user.post("/attachments", body)
    return registered


async def prepare(plane: Plane) -> tuple[Team, dict[str, Client]]:
    """A team with a finished project, and one caller of each kind, members with the team as their current space."""
    callers = {name: await plane.new_user(f"walk-{name}") for name in ("admin", "editor", "viewer", "stranger")}
    callers["operator"] = await plane.new_user("walk-operator", is_platform_admin=True)
    admin = callers["admin"]
    team_id = (await admin.post("/teams", {"name": "farm"}))["id"]
    for role in ("editor", "viewer"):
        code = (await admin.post(f"/teams/{team_id}/invites", {"role": role}))["invite_code"]
        await callers[role].post("/team/join", {"invite_code": code})
    for role in ("admin", "editor", "viewer"):
        await callers[role].post("/team/switch", {"space_type": "team", "space_id": team_id})
    callers["nobody"] = plane.anonymous
    # A session of the admin's own, working in the team, that has ended.
    callers["logged out"] = await plane.anonymous.login("walk-admin")
    await callers["logged out"].post("/team/switch", {"space_type": "team", "space_id": team_id})
    await callers["logged out"].post("/auth/logout")
    users = {name: (await callers[name].get("/user/me"))["id"] for name in ("admin", "editor", "viewer")}
    team = Team(plane, admin, team_id, users)
    team.project_id, team.package_id = await generated(admin)
    team.known["image"] = (await attachment(admin))["file_url"]
    team.known["audio"] = (await admin.get("/assets/voices"))["list"][0]["audio_sample_url"]
    await fetch_made(admin, team.known["audio"])
    return team, callers
