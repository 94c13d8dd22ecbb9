"""Projects."""

from control_plane.accounts.actor import Access
from control_plane.projects import service
from control_plane.projects.schemas import ProjectDetail, ProjectItem, ProjectQuery, UpdateProject
from control_plane.web.models import Page
from control_plane.web.routes import Call, Routes

routes = Routes("projects")


@routes.get("/projects", access=Access.READ, query=ProjectQuery, response=Page[ProjectItem])
async def list_projects(call: Call, query: ProjectQuery) -> Page[ProjectItem]:
    """The projects of the current space, the latest first."""
    return await service.list_projects(call.work, call.actor, query)


@routes.get("/projects/{project_id}", access=Access.READ, response=ProjectDetail)
async def detail(call: Call) -> ProjectDetail:
    """One project."""
    return await service.detail(call.work, call.actor, call.path["project_id"])


@routes.put("/projects/{project_id}", access=Access.WRITE, body=UpdateProject)
async def update(call: Call, body: UpdateProject) -> None:
    """Rename, describe or tag a project."""
    await service.update(call.work, call.actor, call.path["project_id"], body)
