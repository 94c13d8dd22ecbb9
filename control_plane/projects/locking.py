"""Cancelling jobs of a project and changing the project with it, in the order in which reactions lock: job, project."""

from sqlalchemy import select

from control_plane.accounts.access import granted, may_see, role_in
from control_plane.accounts.actor import Actor
from control_plane.errors import NotFound, Unavailable
from control_plane.projects.tables import ProjectRow, load_project
from control_plane.work import Work
from scheduler import queue

_TRIES = 20


async def lock_with_jobs(work: Work, actor: Actor, project_id: str) -> ProjectRow:
    """The project, locked, after cancelling every job of it that has tasks to run.

    A job that was added between is not cancelled while the project is held, which could deadlock with a reaction: the
    locks are given back and it all begins again. Raises NotFound, Forbidden, NotLoggedIn, and Unavailable if jobs are
    added faster than that.
    """
    await _check(work, actor, project_id)
    for _ in range(_TRIES):
        savepoint = await work.session.begin_nested()
        cancelled = set()
        for job_id in await queue.unfinished_jobs(work.session, project_id):
            await queue.cancel_job(work.session, job_id)
            cancelled.add(job_id)
        project = await load_project(work.session, actor, project_id)
        if cancelled.issuperset(await queue.unfinished_jobs(work.session, project_id)):
            await savepoint.commit()
            work.wakes_scheduler = True
            return project
        await savepoint.rollback()
    raise Unavailable()


async def _check(work: Work, actor: Actor, project_id: str) -> None:
    """Whether the actor may, before anything is locked."""
    statement = select(ProjectRow.id, role_in(actor, ProjectRow.tenant_id)).where(
        ProjectRow.id == project_id, may_see(actor, ProjectRow.tenant_id)
    )
    await granted(work.session, actor, statement, NotFound("项目不存在", "no such project", field="project_id"))
