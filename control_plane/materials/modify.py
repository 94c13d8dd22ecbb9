"""Changing an element's text, by hand or by having it written again, and going back to a former one."""

from collections.abc import Mapping
from typing import Any

from control_plane.accounts.actor import Actor
from control_plane.errors import AlreadyExists, InvalidParameter, NotFound
from control_plane.events import service as events
from control_plane.events.schemas import CandidateCompleted
from control_plane.inputs.rules import derive_seed
from control_plane.materials import edits, elements, prompts, tables, texts
from control_plane.materials.schemas import (
    ModifyTextRequest,
    ModifyTextResponse,
    TextCandidate,
    TextCandidateList,
)
from control_plane.projects import conversations
from control_plane.projects import tables as projects
from control_plane.quota import service as quota
from control_plane.reactions import drop
from control_plane.timeline import build, revise
from control_plane.timeline import tables as timeline
from control_plane.web import reasons
from control_plane.work import Work
from models.specs import ScriptResult, Shot
from scheduler import queue
from scheduler.task import FinishedTask, NewTask, TaskState

TEXT_REACTION = "materials.text"

_STEP_OF = {kind: step for step, kind in elements.KINDS.items()}


async def load_element(
    work: Work, actor: Actor, package_id: str, kind: str, element_id: str
) -> tuple[tables.ElementRow, tables.PackageRow, projects.ProjectRow]:
    """An element of a package that is not being generated: a step could overwrite what is written now. Raises NotFound
    and AlreadyExists."""
    package, project = await tables.load_package(work.session, actor, package_id)
    if package.status == "generating":
        raise AlreadyExists("正在生成，请等待或先取消", "it is being generated: wait or cancel", field="package_id")
    element = await tables.element_in(work.session, package.id, kind, element_id)
    if element is None:
        raise NotFound("元素不存在", "no such element in this package", field="element_id")
    return element, package, project


async def modify_text(work: Work, actor: Actor, package_id: str, request: ModifyTextRequest) -> ModifyTextResponse:
    """Change an element's text. An edit by hand applies at once. Raises InvalidParameter and QuotaExceeded."""
    if request.modification_type == "text_edit":
        if request.new_content is None:
            raise InvalidParameter("text_edit 时必填", "required with text_edit", field="new_content")
        if request.user_prompt is not None:
            raise InvalidParameter("text_edit 时不可填", "not with text_edit", field="user_prompt")
        return await _edit(work, actor, package_id, request, request.new_content)
    if request.new_content is not None:
        raise InvalidParameter("regenerate 时不可填", "not with regenerate", field="new_content")
    return await _regenerate(work, actor, package_id, request)


async def _edit(
    work: Work, actor: Actor, package_id: str, request: ModifyTextRequest, new_content: str
) -> ModifyTextResponse:
    edit = edits.read_edit(request.element_type, new_content)
    element, package, project = await load_element(work, actor, package_id, request.element_type, request.element_id)
    data = edits.edited(element.kind, element.data, edit, await _names(work, package))
    row = await texts.add(work.session, element, data)
    told = {"action": "edit", "element_id": element.id, "candidate_id": row.id}
    fields = ", ".join(edit.model_dump(exclude_none=True))
    await conversations.record(work, project.id, "user", f"修改{_title(element)}（{fields}）", told)
    await apply(work, project, package, element, row)
    return ModifyTextResponse(candidate_id=row.id, content=edits.main_text(element.kind, data), status="completed")


async def _regenerate(work: Work, actor: Actor, package_id: str, request: ModifyTextRequest) -> ModifyTextResponse:
    element, package, project = await load_element(work, actor, package_id, request.element_type, request.element_id)
    wish = request.user_prompt or ""
    row = await texts.add(work.session, element, None, wish=wish)
    parts = await prompts.load_parts(work.session, package)
    step = _STEP_OF[element.kind]
    spec = prompts.script_spec(parts, step).model_copy(
        update={
            "rewrite": edits.SPECS[element.kind].validate_python(element.data),
            "instruction": wish,
            "take": row.position,
            "seed": derive_seed(parts.seed, step, element.kind, element.position, row.position),
        }
    )
    task = NewTask(
        kind="script",
        spec=spec,
        model=work.services.catalog.default_for("script").id,
        job_id=await queue.create_job(work.session, kind="text", project_id=project.id, tenant_id=project.tenant_id),
        project_id=project.id,
        tenant_id=project.tenant_id,
        reaction=TEXT_REACTION,
        label=f"text of {element.kind} {element.position + 1}",
        context={"package_id": package.id, "element_id": element.id, "candidate_id": row.id},
        priority=20,  # a person waits for it
    )
    await quota.enqueue_paid(work, [task])
    told = {"action": "regenerate", "element_id": element.id, "candidate_id": row.id}
    content = f"改写{_title(element)}：{wish}" if wish else f"重写{_title(element)}"
    await conversations.record(work, project.id, "user", content, told)
    now = edits.main_text(element.kind, element.data)
    return ModifyTextResponse(candidate_id=row.id, content=now, status="processing")


def _title(element: tables.ElementRow) -> str:
    name = {"storyline": "故事线", "artstyle": "美术风格", "character": "角色", "scene": "场景"}.get(element.kind)
    if name is None:
        return f"分镜 {element.position + 1}"
    return f"{name} {element.data['name']}" if "name" in element.data else name


async def rewritten(work: Work, task: FinishedTask, *, applies: bool = True) -> None:
    """A text was written again: it applies, unless another was asked for since or its name is somebody else's. Raises
    QuotaExceeded."""
    project = await work.session.get(projects.ProjectRow, task.project_id)
    package = await tables.package_by_id(work.session, task.context["package_id"])
    element = await tables.element_by_id(work.session, task.context["element_id"])
    row = await tables.text_by_id(work.session, task.context["candidate_id"])
    if project is None or package is None or element is None or row is None:
        await drop(work, task)
        return
    taken = False
    if task.state is TaskState.SUCCEEDED:
        step = _STEP_OF[element.kind]
        (part,) = elements.parts_of(step, ScriptResult.model_validate(task.result))
        row.data, row.status = part.model_dump(mode="json"), "completed"
        await work.session.flush()
        latest = (await tables.texts_of(work.session, [element.id]))[-1]
        taken = await is_name_taken(work, element, row.data)
        if applies and latest.id == row.id and not taken:
            await apply(work, project, package, element, row)
    else:
        row.status, row.error_message = "failed", reasons.why(task)
        await work.session.flush()
    done = row.status == "completed"
    told = {"event": "candidate.completed", "element_id": element.id, "candidate_id": row.id, "status": row.status}
    content = (
        f"{_title(element)}已改写" + ("，但名称已被使用，留作候选" if taken else "")
        if done
        else f"{_title(element)}改写失败：{reasons.spoken(row.error_message or '', 'zh')}"
    )
    await conversations.record(work, project.id, "system", content, told)
    await events.append(
        work,
        project.id,
        CandidateCompleted(
            candidate_id=row.id,
            element_id=element.id,
            status="completed" if done else "failed",
            content=edits.main_text(element.kind, row.data) if row.data is not None else None,
            error_message=row.error_message,
        ),
    )


async def apply(
    work: Work,
    project: projects.ProjectRow,
    package: tables.PackageRow,
    element: tables.ElementRow,
    row: tables.TextCandidateRow,
) -> None:
    """Give an element a finished text, with what follows from it elsewhere: another name is used by the shots, another
    shot by its clip. Pictures stay until the next are painted. Raises AlreadyExists for a text with the name of another
    element, and QuotaExceeded."""
    if row.data is not None and await is_name_taken(work, element, row.data):
        raise AlreadyExists("此名称已被使用", "the name in it is taken", field="candidate_id")
    before = dict(element.data)
    await texts.choose(work.session, element, row)
    after = element.data
    if element.kind in {"character", "scene"} and before["name"] != after["name"]:
        await rename(work, package, element.kind, before["name"], after["name"])
    elif element.kind == "storyline":
        package.summary = after["summary"]
    elif element.kind == "storyboard":
        clip = next(
            (clip for clip in await timeline.clips_of(work.session, package.id) if clip.element_id == element.id), None
        )
        if clip is not None:
            change = (clip, Shot.model_validate(before), Shot.model_validate(after))
            lines = await revise.revise_clips(work, [change], keep_edits=False)
            await build.speak(work, project, package, lines)
    await work.session.flush()
    await build.edited(work, project)


async def is_name_taken(work: Work, element: tables.ElementRow, data: Mapping[str, Any]) -> bool:
    """Whether a text has the name of another character or scene of the package: voices, references and the storyboard
    go by names."""
    if element.kind not in {"character", "scene"}:
        return False
    others = await tables.elements_of(work.session, element.package_id, element.kind)
    return any(other.data["name"] == data["name"] for other in others if other.id != element.id)


async def rename(work: Work, package: tables.PackageRow, kind: str, before: str, after: str) -> None:
    """Use another name of a character or scene wherever the storyboard names it. What is spoken stays as it was
    written: a text may call somebody as it likes."""
    for element in await tables.elements_of(work.session, package.id, "storyboard"):
        element.data = _renamed(element.data, kind, before, after)
        element.origin = _renamed(element.origin, kind, before, after)
    if kind == "character":
        clips = await timeline.clips_of(work.session, package.id)
        for line in await timeline.lines_of(work.session, [clip.id for clip in clips]):
            if line.character_name == before:
                line.character_name = after
    await work.session.flush()


def _renamed(data: dict[str, Any], kind: str, before: str, after: str) -> dict[str, Any]:
    changed = dict(data)
    if kind == "scene":
        changed["scene"] = after if data["scene"] == before else data["scene"]
        return changed
    changed["characters"] = [after if name == before else name for name in data["characters"]]
    changed["dialogue"] = [
        {**line, "character": after if line["character"] == before else line["character"]} for line in data["dialogue"]
    ]
    for field in ("description", "action"):
        changed[field] = data[field].replace(before, after)
    return changed


async def select_text(
    work: Work,
    project: projects.ProjectRow,
    package: tables.PackageRow,
    element: tables.ElementRow,
    candidate_id: str,
) -> None:
    """Go back, or over, to another text. Raises NotFound and AlreadyExists."""
    row = await tables.text_by_id(work.session, candidate_id)
    if row is None or row.element_id != element.id:
        raise NotFound("候选不存在", "no such candidate", field="candidate_id")
    if row.data is None:
        raise AlreadyExists("候选尚未完成", "the candidate is not finished", field="candidate_id")
    if not row.is_selected:
        await apply(work, project, package, element, row)


async def text_candidates(work: Work, actor: Actor, package_id: str, element_id: str) -> TextCandidateList:
    """The texts that an element has had, the oldest first. Raises NotFound."""
    package, _ = await tables.load_package(work.session, actor, package_id)
    element = await tables.element_by_id(work.session, element_id)
    if element is None or element.package_id != package.id:
        raise NotFound("元素不存在", "no such element in this package", field="element_id")
    return TextCandidateList(
        list=[
            TextCandidate(
                id=row.id,
                content=edits.main_text(element.kind, row.data) if row.data is not None else None,
                fields=row.data,
                user_prompt=row.wish or None,
                status=row.status,
                is_selected=row.is_selected,
                error_message=row.error_message,
                created_at=row.created_at,
            )
            for row in await tables.texts_of(work.session, [element.id])
        ]
    )


async def _names(work: Work, package: tables.PackageRow) -> dict[str, dict[str, str]]:
    return {
        kind: {row.id: row.data["name"] for row in await tables.elements_of(work.session, package.id, kind)}
        for kind in ("character", "scene")
    }
