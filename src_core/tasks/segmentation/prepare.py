"""The request of a comparison of augmentations, checked before anything is computed."""

from __future__ import annotations

from src_core.errors import InputError
from src_core.models.device import choose_device
from src_core.models.library import load_model
from src_core.models.model import Model
from src_core.tasks.data import TaskData, need_monai, of_subjects, open_data, read_split
from src_core.tasks.options import check_levels
from src_core.tasks.segmentation.options import SegmentationRequest

__all__ = ["DECIDING", "read_data"]

#: Options that decide a training's result; a run may resume with more methods, subjects, repeats.
DECIDING = ("times", "levels", "steps", "batch", "size", "loss", "rate", "seed")


def read_data(request: SegmentationRequest) -> TaskData:
    """Check the request and open the folder; nothing is computed yet.

    Raises:
        InputError: data sets, model, an option or the folder is wrong.
    """
    need_monai()
    choose_device(request.device)
    model = load_model(request.model, "cpu")
    _check_model(model, request)
    trained, tested = read_split(request.train, request.test)
    for count in request.subjects:
        of_subjects(trained, count)
    return open_data(request, model, trained, tested, deciding=DECIDING, steps=request.steps)


def _check_model(model: Model, request: SegmentationRequest) -> None:
    if model.spec.ndim != 2:
        raise InputError(
            "it is 3D, and slices are segmented", where=str(request.model), expected="a 2D model"
        )
    check_levels(request.levels, model.spec.schedule.levels)
