"""Tasks of all shapes: plans at random, with whatever an author may say of their steps."""

from dataclasses import replace

from hypothesis import strategies as st
from reference import Reference, Spec, goes_before, names_in

from taskd.model.step import JSON, Rescue

SPECS = st.builds(
    Spec,
    rescue=st.sampled_from([str(rescue) for rescue in Rescue]),
    retries=st.integers(0, 2),
    idempotent=st.booleans(),
    weight=st.sampled_from([1.0, 3.0, 0.1, 0.0]),
)
KINDS = st.sampled_from(["sequence", "concurrence"])
SETS = st.sets(st.integers(1, 5))


@st.composite
def references(draw: st.DrawFn) -> Reference:
    """A task of up to six steps that is not planned yet."""
    flow = draw(flows("abcdef"[: draw(st.integers(0, 6))]))
    specs = {"plan": replace(draw(SPECS), retries=0, idempotent=True)}
    for name in names_in(flow):
        earlier = sorted(goes_before(flow, name))
        needs = (earlier[number - 1] for number in draw(SETS) if number <= len(earlier))
        specs[name] = replace(draw(SPECS), needs=tuple(needs))
    if draw(st.booleans()):
        specs["finalize"] = draw(SPECS)
    return Reference(flow, specs)


@st.composite
def flows(draw: st.DrawFn, names: str) -> JSON:
    """Nested sequences and concurrences of `names`."""
    if len(names) < 2:
        return names or None
    cuts = sorted(cut for cut in draw(SETS) if cut < len(names)) or [1]
    parts = [names[i:j] for i, j in zip([0, *cuts], [*cuts, None], strict=True)]
    return [draw(KINDS), *(draw(flows(part)) for part in parts)]
