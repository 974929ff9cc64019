"""From an action's class to its definition: what the daemon may know of it."""

import hashlib
import inspect
from pathlib import Path

from taskd.actions.action import Action, has_work, label_of, words
from taskd.actions.declaration import declaration_of
from taskd.model.definition import Definition, Hook
from taskd.model.record import replace


def describe(action: type[Action], name: str = "", revision: str = "") -> Definition:
    """`name` is where its module has it; `revision` that of the file, where it is known already."""
    declaration = declaration_of(action)
    options = dict(declaration.options)
    options.pop("label", None)
    planned = action.plan is not Action.plan
    asks_author = planned or action.title is not Action.title or action.locks is not Action.locks
    definition = Definition(
        label=label_of(action),
        type="python",
        title=words(action.__name__),
        steps=tuple(declaration.steps.values()),
        flow=None if planned else ["sequence", *declaration.steps],
        planner="host" if asks_author else "data",
        finalize=declaration.finalize,
        fields=declaration.fields,
        hooks=(*declaration.hooks.values(), *_descriptions(action)),
        doc=_doc(action),
        module=action.__module__,
        name=name or action.__qualname__,
        file=declaration.place.file,
        line=declaration.place.line,
        revision=revision or revision_of(Path(declaration.place.file).read_bytes()),
    )
    return replace(definition, **options)


_DESCRIPTIONS = (
    Hook("describe_input", ("running",)),
    Hook("describe_output", ("success", "warning")),
    Hook("describe_error", ("paused", "error")),
)


def _descriptions(action: type[Action]) -> list[Hook]:
    """Those that the author has written."""
    return [h for h in _DESCRIPTIONS if getattr(action, h.name) is not getattr(Action, h.name)]


def is_listed(action: type[Action]) -> bool:
    """Others are bases that authors share between their actions."""
    labelled = "label" in declaration_of(action).options
    return labelled or (has_work(action) and not action.__name__.startswith("_"))


def revision_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _doc(action: type[Action]) -> str:
    """Its own: `inspect.getdoc` alone would give that of `Action`."""
    return inspect.cleandoc(vars(action).get("__doc__") or "")
