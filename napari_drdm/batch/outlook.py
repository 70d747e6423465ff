"""What a batch would make, and whether its folder can hold it. No Qt."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_drdm.messages import in_window, label_of
from src_core.errors import InputError

if TYPE_CHECKING:
    from src_core.augment import Plan, Request

__all__ = ["Outlook", "check_folder", "outlook"]

#: What of a run is no single control.
_CONTROLS = {
    "model_sha256": "Model",
    "options": "More",
    "filters": "Wanted",
    "labels": "labels of the data set",
}


@dataclass(frozen=True)
class Outlook:
    """What a request would make; ``text`` in one line, ``notes`` one line each."""

    text: str
    notes: tuple[str, ...] = ()


def outlook(request: Request, model: Path) -> Outlook:
    """What a request would make, from lists and headers alone.

    Raises:
        InputError: the data set or an option is wrong, or the folder is of another run.
    """
    from src_core.augment import make_plan
    from src_core.augment.disk import free_bytes, size_text
    from src_core.models.checkpoint import file_digest, read_spec

    digest = file_digest(model) if request.resume else ""
    plan = make_plan(request, read_spec(model), digest)
    check_folder(plan)
    whole, free = plan.bytes_each * len(plan.jobs), free_bytes(request.out)
    notes = [in_window(note) for note in plan.notes]
    if request.resume:
        notes.append(_there(plan))
    if whole > free:
        notes.append("The disk may fill up: the run stops then, and can go on")
    room = f"at most {size_text(whole)}, {size_text(free)} free"
    return Outlook(f"{len(plan.jobs)} new cases of {plan.cases}, {room}", tuple(notes))


def check_folder(plan: Plan) -> None:
    """Check that a plan's folder can hold it.

    Raises:
        InputError: it holds a run with other choices, or something else.
    """
    from src_core.augment.run_folder import MAY_CHANGE, differing_facts

    out = Path(plan.request.out)
    if not plan.request.resume and out.is_dir() and any(out.iterdir()):
        raise InputError(
            "the folder is not empty",
            where=str(out),
            expected="an empty folder, or a run to go on with",
            do="choose another",
        )
    if other := differing_facts(plan):
        names = ", ".join(dict.fromkeys(_CONTROLS.get(name) or label_of(name) for name in other))
        raise InputError(
            f"The run in the output folder differs in {names}: choose another folder. "
            + in_window(MAY_CHANGE)
        )


def _there(plan: Plan) -> str:
    """What of a run is in its folder already; what was rejected is not tried again."""
    from src_core.augment.manifest import lines

    states = {line["name"]: line["state"] for line in lines(plan.request.out)}
    counts = Counter(states.get(job.name) for job in plan.jobs)
    made, rejected = counts["made"], counts["rejected"]
    if made + rejected == len(plan.jobs):
        both = f"All are done: {made} in this folder, {rejected} rejected"
        return both if rejected else "All of them are in this folder"
    refused = f", {rejected} rejected" if rejected else ""
    return f"{made} of them {'is' if made == 1 else 'are'} in this folder{refused}: Start continues"
