"""Every request field is claimed by a test that shows what it changes; see fields.py."""

import importlib
import pkgutil

import tests
from tests.contract.fields import SHOWN, declared


def _import_every_test() -> None:
    for module in pkgutil.walk_packages(tests.__path__, "tests."):
        importlib.import_module(module.name)


def test_every_field_is_shown_to_change_something() -> None:
    _import_every_test()
    assert sorted(declared() - SHOWN) == []


def test_no_claim_is_left_of_a_field_that_is_gone() -> None:
    _import_every_test()
    assert sorted(SHOWN - declared()) == []
