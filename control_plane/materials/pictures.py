"""Pictures of elements: asking for one, and which of them an element shows."""

from sqlalchemy.ext.asyncio import AsyncSession

from control_plane.artifacts import tables as artifacts
from control_plane.materials import tables
from control_plane.projects import tables as projects
from control_plane.quota import service as quota
from control_plane.work import Work
from models.specs import Framing, ImageSpec
from runtime.ids import new_id
from scheduler import queue
from scheduler.task import NewTask

CANDIDATE_REACTION = "materials.candidate"


def image_model(work: Work, package: tables.PackageRow, kind: str) -> str:
    """The model the user chose for this kind of picture, else the catalog's default."""
    chosen = package.source["config"].get(f"{kind}_model")
    return chosen or work.services.catalog.default_for(kind).id


def paints_from_sheets(work: Work, package: tables.PackageRow) -> bool:
    """Whether shots are painted from the reference sheets of their characters and scenes."""
    chosen = image_model(work, package, "text_to_image")
    return work.services.catalog.from_sheets(chosen) is not None


def shot_model(work: Work, package: tables.PackageRow, spec: ImageSpec) -> str:
    """The model that paints a shot: another than for other pictures where it has sheets to paint from."""
    chosen = image_model(work, package, "text_to_image")
    from_sheets = work.services.catalog.from_sheets(chosen)
    has_sheets = any(subject.reference_keys for subject in spec.subjects)
    return from_sheets.id if from_sheets is not None and has_sheets else chosen


async def new_image(
    work: Work,
    project: projects.ProjectRow,
    element: tables.ElementRow,
    framing: Framing,
    prompt: str,
    *,
    wish: str = "",
    is_selected: bool = False,
    position: int = 0,
    take: int = 0,
) -> tables.ImageRow:
    """A picture that is to be made, with the addresses it will have."""
    name = f"{element.kind}-{element.position + 1}-{framing.value}"
    image = tables.ImageRow(
        id=new_id("img"),
        element_id=element.id,
        image_type=framing.value,
        artifact_id=await artifacts.promise(work.session, project.tenant_id, name),
        thumbnail_artifact_id=await artifacts.promise(work.session, project.tenant_id, f"{name}-thumbnail"),
        depth_artifact_id=await artifacts.promise(work.session, project.tenant_id, f"{name}-depth"),
        prompt=prompt,
        wish=wish,
        is_selected=is_selected,
        position=position,
        take=take,
    )
    work.session.add(image)
    await work.session.flush()
    return image


async def selected(session: AsyncSession, elements: list[tables.ElementRow]) -> dict[tuple[str, str], tables.ImageRow]:
    """The pictures that elements show, by element and type."""
    images = await tables.images_of(session, [element.id for element in elements])
    return {(image.element_id, image.image_type): image for image in images if image.is_selected}


async def new_take(
    work: Work,
    project: projects.ProjectRow,
    element: tables.ElementRow,
    framing: Framing,
    prompt: str,
    *,
    wish: str = "",
    take: int = 0,
) -> tables.ImageRow:
    """A picture that takes the place of the one there is, which stays a candidate. What was asked for to be shown
    before and was never finished is forgotten."""
    images = [i for i in await tables.images_of(work.session, [element.id]) if i.image_type == framing]
    for image in images:
        if image.is_selected and image.status != "completed":
            await work.session.delete(image)
    position = max((image.position + 1 for image in images), default=0)
    image = await new_image(work, project, element, framing, prompt, wish=wish, position=position, take=take)
    await tables.select_image(work.session, image)
    return image


async def show_last_finished(session: AsyncSession, package_id: str) -> None:
    """Where an element's selected picture was never finished, select the last one that was."""
    elements = await tables.elements_of(session, package_id)
    finished: dict[tuple[str, str], tables.ImageRow] = {}
    shown = set()
    for image in await tables.images_of(session, [element.id for element in elements]):
        if image.status == "completed":
            finished[image.element_id, image.image_type] = image
            if image.is_selected:
                shown.add((image.element_id, image.image_type))
    for missing in finished.keys() - shown:
        await tables.select_image(session, finished[missing])


async def enqueue_candidate(
    work: Work,
    project: projects.ProjectRow,
    package: tables.PackageRow,
    element: tables.ElementRow,
    image: tables.ImageRow,
    kind: str,
    spec: ImageSpec,
) -> int:
    """Queue one candidate's painting, as a job of its own; returns what it costs. Raises QuotaExceeded."""
    job_id = await queue.create_job(work.session, kind="image", project_id=project.id, tenant_id=project.tenant_id)
    task = NewTask(
        kind=kind,
        spec=spec,
        model=shot_model(work, package, spec) if spec.framing is Framing.SHOT else image_model(work, package, kind),
        job_id=job_id,
        project_id=project.id,
        tenant_id=project.tenant_id,
        reaction=CANDIDATE_REACTION,
        label=f"candidate of {element.kind} {element.position + 1}",
        context={"image_id": image.id, "element_id": element.id},
        priority=20,  # a person waits for it
    )
    await quota.enqueue_paid(work, [task])
    return quota.price(work, [task])
