"""What the window exports: the files of ``drdm generate``, with the inputs that have no file."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from src_core.io import OutputFolder, write_image

if TYPE_CHECKING:
    from src_core.generation import Result

__all__ = ["export_result"]


def export_result(result: Result, folder: str | Path, overwrite: bool = False) -> Path:
    """Write a result; inputs that are no file go beside it as ``input.nii.gz`` and labels.

    Raises:
        InputError: the folder has content (without ``overwrite``) or cannot be written.
    """
    from src_core.generation.save import save_files

    folder = Path(folder).resolve()
    with OutputFolder(folder, overwrite) as place:
        recipe, case = deepcopy(result.recipe), result.source
        for name, file, volume in (
            ("image", "input.nii.gz", case.images[0]),
            *(("labels", "input-labels.nii.gz", labels) for labels in case.labels[:1]),
        ):
            if volume.path is None:
                write_image(place / file, volume.data, volume, case.grid)
                _point_to(recipe, name, folder / file)
        save_files(replace(result, recipe=recipe), place)
    return folder


def _point_to(recipe: dict[str, Any], name: str, file: Path) -> None:
    recipe["inputs"]["arrays"][name]["path"] = str(file)
