"""Why something failed, in the language of whoever reads it, without a word of the program's own."""

import pytest

from control_plane.materials.schemas import PackageItem, ProgressResponse
from control_plane.web import reasons
from control_plane.web.models import ResponseModel
from scheduler.task import FinishedTask, OutcomeClass, TaskState


def failed(outcome: OutcomeClass, message: str | None) -> FinishedTask:
    return FinishedTask(
        id="tsk_1",
        kind="speech",
        job_id="job_1",
        project_id="prj_1",
        state=TaskState.FAILED,
        reaction="",
        context={},
        spec={},
        result=None,
        outcome=outcome,
        error_message=message,
        error_field=None,
        reaction_failures=0,
    )


@pytest.mark.parametrize("outcome", [o for o in OutcomeClass if o not in {OutcomeClass.SUCCEEDED, OutcomeClass.USER}])
def test_what_a_program_says_of_itself_is_told_to_nobody(outcome: OutcomeClass) -> None:
    reason = reasons.why(failed(outcome, "KeyError: 'shots'"))
    told = [reasons.spoken(reason, language) for language in ("zh", "en")]
    assert told[0] != told[1]
    assert not any("KeyError" in words or "_" in words for words in told)
    assert told[1].isascii()
    assert not told[0].isascii()


def test_what_is_wrong_with_a_request_is_passed_on() -> None:
    both = reasons.both("没有可朗读的内容", "there is nothing to speak")
    assert reasons.why(failed(OutcomeClass.USER, both)) == both
    assert reasons.spoken(both, "en") == "there is nothing to speak"
    alone = reasons.why(failed(OutcomeClass.USER, "the voice is hoarse"))
    assert {reasons.spoken(alone, language) for language in ("zh", "en")} == {"the voice is hoarse"}
    assert reasons.spoken(reasons.why(failed(OutcomeClass.USER, None)), "zh") == "内容无法处理"


def test_a_reason_within_another_keeps_its_languages() -> None:
    whole = reasons.within(reasons.both("没有声音", "no sound"), "镜头 2：{}", "shot 2: {}")
    assert [reasons.spoken(whole, language) for language in ("zh", "en")] == ["镜头 2：没有声音", "shot 2: no sound"]


def test_an_answer_speaks_the_language_it_is_written_in_and_is_stored_in_both() -> None:
    class Answer(ResponseModel):
        error_message: reasons.Reason | None = None

    answer = Answer(error_message=reasons.both("坏了", "broken"))
    assert answer.model_dump(mode="json", context={"language": "en"}) == {"error_message": "broken"}
    assert answer.model_dump(mode="json", context={"language": "zh"}) == {"error_message": "坏了"}
    assert Answer.model_validate(answer.model_dump(mode="json")) == answer
    event = {"event": "video.failed", "data": {"error_message": answer.error_message}}
    assert reasons.in_language(event, "en")["data"] == {"error_message": "broken"}


def test_it_is_known_which_answers_need_a_language() -> None:
    assert reasons.tells_why(ProgressResponse)
    assert not reasons.tells_why(PackageItem)
