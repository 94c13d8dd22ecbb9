from pathlib import Path

from models.catalog_file import load_catalog
from models.draft.script import DraftScriptWriter
from models.specs import ScriptSpec, ScriptStep
from pipelines import script
from pipelines.context import LocalContext


def test_the_pipeline_runs_the_model_in_its_phase_and_reports_progress(tmp_path: Path) -> None:
    context = LocalContext(tmp_path)
    spec = ScriptSpec(step=ScriptStep.SCENES, input_type="text", content="At night she walks through the forest.")
    result = script.run(spec, DraftScriptWriter(), context)
    assert [scene.name for scene in result.scenes] == ["Forest at night"]
    assert context.phases == ["run"]
    assert context.fractions == sorted(context.fractions)
    assert context.fractions[-1] == 1.0


def test_the_catalog_names_this_writer() -> None:
    assert load_catalog().default_for("script").adapter == "models.draft.script:DraftScriptWriter"
    assert DraftScriptWriter.__name__ == "DraftScriptWriter"
