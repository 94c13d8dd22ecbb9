"""Projects."""

from control_plane.accounts.actor import Access
from control_plane.errors import Forbidden, NotFound
from control_plane.projects import conversations, service
from control_plane.projects.schemas import (
    ConversationList,
    CreateProject,
    ProjectDetail,
    ProjectItem,
    ProjectQuery,
    UpdateProject,
)
from control_plane.web.models import Page
from control_plane.web.routes import Call, Routes

routes = Routes("projects")


@routes.get(
    "/projects", access=Access.READ, query=ProjectQuery, response=Page[ProjectItem], errors=(Forbidden, NotFound)
)
async def list_projects(call: Call, query: ProjectQuery) -> Page[ProjectItem]:
    """The projects of a space, the current one unless it is named, the latest first."""
    return await service.list_projects(call.work, call.actor, query)


@routes.post("/projects", access=Access.WRITE, body=CreateProject, response=ProjectDetail, errors=(NotFound,))
async def create(call: Call, body: CreateProject) -> ProjectDetail:
    """Create an empty project."""
    return await service.create(call.work, call.actor, body, call.language)


@routes.get("/projects/{project_id}", access=Access.READ, response=ProjectDetail)
async def detail(call: Call) -> ProjectDetail:
    """One project."""
    return await service.detail(call.work, call.actor, call.path["project_id"])


@routes.put("/projects/{project_id}", access=Access.WRITE, body=UpdateProject)
async def update(call: Call, body: UpdateProject) -> None:
    """Rename, describe or tag a project."""
    await service.update(call.work, call.actor, call.path["project_id"], body)


@routes.delete("/projects/{project_id}", access=Access.WRITE)
async def delete(call: Call) -> None:
    """Delete a project and everything in it; what runs for it is cancelled and refunded."""
    await service.delete(call.work, call.actor, call.path["project_id"])


@routes.get("/projects/{project_id}/conversations", access=Access.READ, response=ConversationList)
async def list_conversations(call: Call) -> ConversationList:
    """What the user asked and what the system did, in order."""
    return await conversations.conversations(call.work, call.actor, call.path["project_id"])
