"""Every request field is claimed by a test that shows what it changes; see fields.py."""

import importlib
import pkgutil

import tests
from tests.contract.fields import SHOWN, declared

_OPEN = (
    "GET /material-packages/{package_id}/text-candidates",
    "GET /projects",
    "POST /generation/start",
    "POST /material-packages/{package_id}/modify/text",
    "POST /material-packages/{package_id}/regenerate/image",
    "POST /material-packages/{package_id}/replace-from-asset",
    "POST /material-packages/{package_id}/save-new",
    "POST /material-packages/{package_id}/select-candidate",
    "POST /material-packages/{package_id}/switch-voice",
    "POST /projects",
    "PUT /material-packages/{package_id}",
    "PUT /projects/{project_id}",
)
"""Endpoints with fields that no test claims yet; a list that only gets shorter."""


def _import_every_test() -> None:
    for module in pkgutil.walk_packages(tests.__path__, "tests."):
        importlib.import_module(module.name)


def test_every_field_is_shown_to_change_something() -> None:
    _import_every_test()
    unclaimed = {(endpoint, field) for endpoint, field in declared() - SHOWN if endpoint not in _OPEN}
    assert sorted(unclaimed) == []


def test_no_claim_is_left_of_a_field_that_is_gone() -> None:
    _import_every_test()
    assert sorted(SHOWN - declared()) == []
