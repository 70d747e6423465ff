"""Rows of cases: reading and writing, whole generations, and many samples."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import inputs
from benchmarks.table import Goal, Row, Sizes
from benchmarks.timing import Work
from src_core.augment import Request, augment, make_plan
from src_core.cases.case import Case
from src_core.generation import generate
from src_core.io import read_case
from src_core.io.case_files import save_case
from src_core.models.library import load_model
from src_core.phantom import cardiac_phantom

__all__ = ["generation_row", "rows"]

_LEVEL = 48
# as the figures of earlier versions were taken
_AUGMENT_STEPS = 2


def rows(sizes: Sizes) -> Iterator[Row]:
    """All of them; files lie in a temporary folder meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        yield from _file_rows(sizes, home)
        yield generation_row(sizes.volume)
        yield from _model_rows(sizes, home)


def generation_row(side: int) -> Row:
    """From arrays to the result with inverse and certificate."""

    def prepare() -> Work:
        if not inputs.VOLUME_MODEL.is_file():
            raise FileNotFoundError(2, "no such file", str(inputs.VOLUME_MODEL))
        case, model = inputs.ball_case(side), load_model(inputs.VOLUME_MODEL, "cpu")
        return lambda: generate(case, model, level=_LEVEL)

    goal = Goal(2.0) if side == Sizes.volume else None
    return Row(f"a sample, arrays to certified result, {side}^3", prepare, goal=goal)


def _file_rows(sizes: Sizes, home: Path) -> Iterator[Row]:
    at = f"{sizes.volume}^3"
    files = _saved(inputs.ball_case(sizes.volume), home / "volume")
    yield Row(
        f"read an image and its labels, {at}",
        lambda: lambda: read_case(*files),
        {
            "SimpleITK": lambda: _sitk_read(files),
            "antspyx": lambda: _ants_read(files),
            "MONAI": lambda: _monai_read(files),
            "TorchIO": lambda: _torchio_read(files),
        },
    )
    yield Row(
        f"write an image and its labels, {at}",
        lambda: _writing(files, home / "ours"),
        {
            "SimpleITK": lambda: _sitk_write(files, home),
            "antspyx": lambda: _ants_write(files, home),
        },
    )


def _model_rows(sizes: Sizes, home: Path) -> Iterator[Row]:
    stack = _stack(sizes.stack)
    shape = " x ".join(map(str, sizes.stack))

    def generation() -> Work:
        model = load_model(inputs.MODEL, "cpu")
        return lambda: generate(stack, model, level=_LEVEL)

    yield Row(f"a sample of the phantom, {shape}", generation, goal=Goal(0.5))
    files = _saved(inputs.slice_case(sizes.plane), home / "slice")

    def loaded() -> object:
        return generate(read_case(*files), load_model(inputs.MODEL, "cpu"), level=_LEVEL)

    yield Row(
        f"a slice, files and model to result, {sizes.plane}^2", lambda: loaded, goal=Goal(0.12)
    )
    yield Row(
        f"drdm augment, files to files, {shape}, one worker, {_AUGMENT_STEPS} steps, each",
        lambda: _augmenting(stack, home / "augment", sizes.cases),
        goal=Goal(0.25),
        per=sizes.cases,
    )


def _stack(shape: tuple[int, int, int]) -> Case:
    phantom = cardiac_phantom(slices=shape[2], phases=1, shape=shape[:2])
    return Case.from_arrays(phantom.image[..., 0], phantom.labels[..., 0], affine=phantom.affine)


def _saved(case: Case, place: Path) -> tuple[Path, Path]:
    place.mkdir()
    save_case(case, place, case)
    return place / "image.nii.gz", place / "labels.nii.gz"


def _augmenting(case: Case, home: Path, count: int) -> Work:
    """A run of its own each time, without the start of a process."""
    home.mkdir()
    for file, kind in zip(_saved(case, home / "case"), ("images", "labels"), strict=True):
        (home / "set" / kind).mkdir(parents=True)
        file.rename(home / "set" / kind / "phantom.nii.gz")
    model, numbers = load_model(inputs.MODEL, "cpu"), itertools.count()

    def work() -> None:
        out = home / f"out-{next(numbers)}"
        options = {"steps": _AUGMENT_STEPS}
        request = Request(home / "set", out, per_case=count, formats=("nifti",), options=options)
        for made in augment(make_plan(request, model), model):
            if made.state != "made":
                raise RuntimeError(made.message)

    return work


def _writing(files: tuple[Path, Path], place: Path) -> Work:
    case = read_case(*files)
    place.mkdir()
    return lambda: save_case(case, place, case)


def _sitk_read(files: tuple[Path, Path]) -> Work:
    import SimpleITK as sitk

    return lambda: [sitk.ReadImage(str(file)) for file in files]


def _sitk_write(files: tuple[Path, Path], home: Path) -> Work:
    import SimpleITK as sitk

    images = [sitk.ReadImage(str(file)) for file in files]
    pairs = [(image, str(home / f"sitk-{i}.nii.gz")) for i, image in enumerate(images)]
    return lambda: [sitk.WriteImage(*pair) for pair in pairs]


def _ants_read(files: tuple[Path, Path]) -> Work:
    import ants

    return lambda: [ants.image_read(str(file)) for file in files]


def _ants_write(files: tuple[Path, Path], home: Path) -> Work:
    import ants

    images = [ants.image_read(str(file)) for file in files]
    pairs = [(image, str(home / f"ants-{i}.nii.gz")) for i, image in enumerate(images)]
    return lambda: [ants.image_write(*pair) for pair in pairs]


def _monai_read(files: tuple[Path, Path]) -> Work:
    from monai.transforms import LoadImage

    load: Any = LoadImage(image_only=True)
    return lambda: [np.asarray(load(file)) for file in files]


def _torchio_read(files: tuple[Path, Path]) -> Work:
    import torchio

    kinds = (torchio.ScalarImage, torchio.LabelMap)
    return lambda: [kind(file).data for kind, file in zip(kinds, files, strict=True)]
