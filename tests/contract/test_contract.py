"""The contract's file is whole, the same as the document where that lies beside the checkout, and what is declared."""

from pathlib import Path
from typing import Any

import pytest

from control_plane.app import ENDPOINTS
from control_plane.events.schemas import EVENTS
from control_plane.exports.schemas import ExportConfig, ExportTask, SubtitleConfig
from control_plane.inputs.rules import ASPECT_RATIOS
from control_plane.inputs.schemas import FileCategory
from control_plane.materials.schemas import PackageItem, StepProgress
from control_plane.projects.schemas import ProjectStage, ProjectStatus
from control_plane.timeline.schemas import Clip
from control_plane.web.routes import Endpoint
from tests.contract import live, typescript
from tests.contract.interfaces import agreed, decided, differences, interface_of, kept, name_of, options, type_of

DOCUMENT = Path(__file__).parents[3] / "shared" / "api.md"


def test_the_file_is_the_document() -> None:
    """Both ways, nothing missing. The document is not part of the project: a checkout without it beside checks that
    the file is whole in itself, which it must be in any case."""
    if DOCUMENT.exists():
        assert typescript.read(DOCUMENT.read_text(encoding="utf-8")) == kept()
    contract = agreed()
    assert (len(contract["endpoints"]), len(kept()["events"]), len(contract["enums"])) == (75, 5, 12)
    known = {*contract["models"], "string", "number", "boolean", "any", "T"}
    named = _type_names(contract["endpoints"]) | _type_names(contract["models"])
    # The parts of a package are spelled out where its detail is answered.
    assert named - known == {"Storyline", "ArtStyle", "Character", "Scene", "Storyboard"}


def _type_names(found: Any) -> set[str]:
    if isinstance(found, dict):
        return {name for part in found.values() for name in _type_names(part)}
    if isinstance(found, list):
        return _type_names(found[0])
    return set() if options(found) else {found}


def test_every_module_has_its_endpoints_in_one_live_test() -> None:
    parts = [live.endpoints_of(module) for module in live.MODULES]
    assert sum(len(part) for part in parts) == len(set().union(*parts))
    assert set().union(*parts) == set(kept()["endpoints"])
    for module in live.MODULES:
        assert (Path(__file__).parent / f"test_live_{module}.py").exists()


def test_every_declared_endpoint_is_agreed() -> None:
    declared = {name_of(endpoint) for endpoint in ENDPOINTS}
    assert sorted(declared - set(kept()["endpoints"]) - set(decided()["added"])) == []


def test_everything_agreed_is_declared() -> None:
    declared = {name_of(endpoint) for endpoint in ENDPOINTS}
    assert sorted({*kept()["endpoints"], *decided()["added"]} - declared) == []


@pytest.mark.parametrize("endpoint", [e for e in ENDPOINTS if name_of(e) in kept()["endpoints"]], ids=name_of)
def test_a_declared_endpoint_is_as_agreed(endpoint: Endpoint) -> None:
    agreement = agreed()["endpoints"][name_of(endpoint)]
    found = []
    for part, model in (("request", endpoint.body), ("query", endpoint.query), ("response", endpoint.response)):
        declared = interface_of(model) if model is not None else {}
        found += differences(agreement.get(part, {}), declared, part, is_request=part != "response")
    assert found == []


def test_the_answers_of_added_endpoints_are_as_decided() -> None:
    declared = {name_of(endpoint): endpoint.response for endpoint in ENDPOINTS}
    for name, wanted in decided()["added_responses"].items():
        assert name in decided()["added"]
        assert differences(wanted, interface_of(declared[name]), name, is_request=False) == []


def test_the_events_are_as_agreed() -> None:
    assert set(EVENTS) == set(agreed()["events"])
    for name, wanted in agreed()["events"].items():
        assert differences(wanted, interface_of(EVENTS[name]), name, is_request=False) == []


def test_the_enums_are_as_agreed() -> None:
    declared = {
        "ProjectStatus": ProjectStatus,
        "ProjectStage": ProjectStage,
        "GenerationTaskStatus": StepProgress.model_fields["status"].annotation,
        "MaterialPackageStatus": PackageItem.model_fields["status"].annotation,
        "ExportStatus": ExportTask.model_fields["status"].annotation,
        "ClipType": Clip.model_fields["clip_type"].annotation,
        "FileCategory": FileCategory,
        "Resolution": ExportConfig.model_fields["resolution"].annotation,
        "VideoFormat": ExportConfig.model_fields["format"].annotation,
        "SubtitleFormat": SubtitleConfig.model_fields["format"].annotation,
    }
    found = {name: options(type_of(annotation)) for name, annotation in declared.items()}
    found["AspectRatio"] = set(ASPECT_RATIOS)
    found["AssetType"] = {"character", "style", "voice", "music"}
    assert set(found) == set(kept()["enums"])
    for name, values in kept()["enums"].items():
        more = (found[name] or set()) - set(values)
        assert set(values) <= (found[name] or set()), name
        assert more <= set(decided()["more_values"].get(name, [])), name
