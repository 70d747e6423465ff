"""Tables of cardiac data sets for ``drdm task``: ACDC by split, and Sunnybrook as an external test.

    python tools/cardiac_tables.py acdc FOLDER acdc.csv
    python tools/cardiac_tables.py sunnybrook FOLDER OUT

ACDC (Bernard et al. 2018): FOLDER holds ``images`` and ``labels`` with one file for each patient
and phase, such as ``patient001_frame01.nii.gz``. Patients come in blocks of 20 by diagnosis; of the
k-th of each block, 1 to 10 are for training, 11 and 12 for validation, 13 to 20 for the test.

Sunnybrook (Radau et al. 2009): FOLDER holds cines, label maps of ED and ES and ``index.csv``; OUT
gets the labelled frames and ``sunnybrook.csv``.
"""

from __future__ import annotations

import csv
import os
import re
import sys
from pathlib import Path

import nibabel as nib
import numpy as np

_BLOCK, _LAST_TRAINING, _LAST_VALIDATION = 20, 10, 12
_COLUMNS = ("image", "labels", "subject", "split")


def acdc(folder: Path, table: Path) -> int:
    """Write the table of an ACDC folder; returns the number of cases."""
    rows = []
    for image in sorted((folder / "images").glob("patient*_frame*.nii.gz")):
        found = re.match(r"patient(\d+)_", image.name)
        assert found is not None
        k = (int(found[1]) - 1) % _BLOCK + 1
        split = "train" if k <= _LAST_TRAINING else "val" if k <= _LAST_VALIDATION else "test"
        files = (image, folder / "labels" / image.name)
        home = table.parent.resolve()
        paths = [os.path.relpath(file.resolve(), home) for file in files]
        rows.append((*paths, f"patient{found[1]}", split))
    _write(table, rows)
    return len(rows)


def sunnybrook(folder: Path, out: Path) -> int:
    """Write labelled frames and their table; returns the number of cases."""
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    with (folder / "index.csv").open(newline="") as file:
        listed = list(csv.DictReader(file))
    for row in listed:
        name = f"{row['subject']}_{row['phase']}"
        cine = nib.load(folder / f"{row['subject']}_cine.nii.gz")
        frame = np.asarray(cine.dataobj)[..., int(row["frame_index0"])]
        labels = nib.load(folder / f"{name}_label.nii.gz")
        nib.save(nib.Nifti1Image(frame, labels.affine), out / f"{name}.nii.gz")
        values = np.asarray(labels.dataobj).astype(np.uint8)
        nib.save(nib.Nifti1Image(values, labels.affine), out / f"{name}_label.nii.gz")
        rows.append((f"{name}.nii.gz", f"{name}_label.nii.gz", row["subject"], "test"))
    _write(out / "sunnybrook.csv", rows)
    return len(rows)


def _write(table: Path, rows: list[tuple[str, ...]]) -> None:
    with table.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([_COLUMNS, *rows])


if __name__ == "__main__":
    kind, source, target = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    print({"acdc": acdc, "sunnybrook": sunnybrook}[kind](source, target), "cases")
