"""Every request field is claimed by a test that shows what it changes; see fields.py."""

from tests.contract.fields import Sent, claimed, declared


def test_every_field_is_shown_to_change_something() -> None:
    assert sorted(declared() - claimed()) == []


def test_no_claim_is_left_of_a_field_that_is_gone() -> None:
    assert sorted(claimed() - declared()) == []


def test_what_was_sent_counts_for_its_endpoint_while_the_test_runs() -> None:
    sent, endpoint = Sent(), "POST /input/submit"
    claims = {(endpoint, "content"), (endpoint, "attachments.id"), ("GET /projects", "page")}
    sent.note("POST", "/input/submit", {"content": "海", "attachments": [{"id": "att_1"}]})
    sent.note("POST", "/projects", {"page": 1})
    assert sent.missing(claims) == {("GET /projects", "page")}
    sent.note("GET", "/projects?page=2", None)
    assert sent.missing(claims) == set()
    with sent.shared():
        sent.note("PUT", "/timeline-clips/clp_1/duration", {"duration": 2})
    sent.begin_test()
    assert sent.missing(claims | {("PUT /timeline-clips/{clip_id}/duration", "duration")}) == claims
