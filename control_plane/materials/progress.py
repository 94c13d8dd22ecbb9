"""Telling how far a generation is."""

from control_plane.events import service as events
from control_plane.events.schemas import GenerationProgress
from control_plane.materials import tables
from control_plane.materials.rules import STEP_NAMES, package_progress, step_progress
from control_plane.projects import tables as projects
from control_plane.work import Work
from models.specs import ScriptStep
from runtime.bilingual import both


async def tell_progress(work: Work, project: projects.ProjectRow, package: tables.PackageRow) -> None:
    await work.session.flush()
    steps = await tables.steps_of(work.session, package.id)
    progress = package_progress(step_progress(row.done, row.total, row.status) for row in steps)
    if package.status == "generating":
        project.progress = progress
    await events.append(
        work,
        project.id,
        GenerationProgress(
            material_package_id=package.id,
            status=package.status,
            progress=progress,
            current_step=current_step(steps, package.status),
        ),
    )


def current_step(steps: list[tables.StepRow], package_status: str) -> str:
    """What a person reads while waiting, in both languages."""
    if package_status == "completed":
        return both("生成完成", "Finished")
    if package_status == "cancelled":
        return both("已取消", "Cancelled")
    failed = next((row for row in steps if row.status == "failed"), None)
    if failed is not None:
        name = STEP_NAMES[ScriptStep(failed.step)]
        return both(f"{name.zh}失败", f"{name.en} failed")
    running = next((row for row in steps if row.status == "in_progress"), None)
    return STEP_NAMES[ScriptStep(running.step)].doing if running else both("等待中", "Waiting")
