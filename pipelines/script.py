"""One step of the breakdown of a text, a screenplay or a storyboard."""

from models.interfaces import ScriptWriter
from models.specs import ScriptResult, ScriptSpec
from pipelines.context import PartOfTask, TaskContext


def run(spec: ScriptSpec, model: ScriptWriter, context: TaskContext) -> ScriptResult:
    """Write the part ``spec.step`` names. Raises UserInputError for a text nothing can be made of."""
    with context.phase("run"):
        return model.write(spec, PartOfTask(context, 0.0, 1.0))
