"""Files that may not be read and folders that may not be written: one clear line, nothing left."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from src_core.io import write_field, write_image
from tests.support import tiny
from tests.support.paths import ROOT
from tests.support.rings import save_tiny

pytestmark = pytest.mark.skipif(os.name != "posix", reason="rights by mode are POSIX")

NOBODY = 65534
# As another user the installation may be out of reach, so what is needed is loaded by runs that
# succeed; their folders stay.
CHILD = f"""
import contextlib, io, json, os, pathlib, sys
from src_core.cli import run

def reported(call):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(call)
    return [code, out.getvalue(), err.getvalue()]

def listing():
    return sorted(map(str, pathlib.Path(".").rglob("*")))

calls, good = json.load(sys.stdin)
for call in good:
    code, _, printed = reported(call)
    assert code == 0, printed
before = listing()
if os.getuid() == 0:
    os.setgroups([])
    os.setgid({NOBODY})
    os.setuid({NOBODY})
found = {{name: reported(call) for name, call in calls.items()}}
json.dump([found, before], sys.stdout)
"""


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A folder that another user may look into: pytest's own may be closed to others."""
    place = Path(tempfile.mkdtemp())
    case = tiny.case((20, 24, 3))
    for name in ("image", "secret"):
        write_image(place / f"{name}.nii.gz", case.image, case.images[0], case.grid)
    assert case.label_map is not None
    write_image(place / "labels.nii.gz", case.label_map, case.labels[0], case.grid)
    u = np.zeros((*case.grid.shape, 3), np.float32)
    write_field(place / "u.nii.gz", u, case.grid)
    Picture.fromarray(np.arange(600, dtype=np.uint16).reshape(20, 30)).save(place / "secret.png")
    save_tiny(place)
    for folder in ("closed", "locked", "full"):
        (place / folder).mkdir()
    for name in ("image.nii.gz", "labels.nii.gz"):
        shutil.copy(place / name, place / "closed" / name)
    (place / "full" / "image.nii.gz").write_text("there")
    (place / "set.csv").write_text("image\nimage.nii.gz\n")
    (place / "closed.csv").write_text("image\nclosed/image.nii.gz\n")
    shutil.copy(place / "u.nii.gz", place / "secret-field.nii.gz")
    shutil.copy(place / "tiny.safetensors", place / "secret.safetensors")
    for name in place.glob("secret*"):
        name.chmod(0)
    for folder, mode in (("closed", 0), ("locked", 0o555), ("full", 0o555), (".", 0o755)):
        (place / folder).chmod(mode)
    (place / "free").mkdir()
    (place / "free").chmod(0o777)
    yield place
    for folder in ("closed", "locked", "full"):
        (place / folder).chmod(0o755)
    shutil.rmtree(place)


GENERATE = ["--model", "tiny.safetensors", "--level", "20"]
GOOD = [
    ["generate", "image.nii.gz", "--labels", "labels.nii.gz", *GENERATE, "--out", "good/a"],
    ["apply", "u.nii.gz", "image.nii.gz", "--out", "good/b"],
    ["augment", "set.csv", *GENERATE[:2], "--out", "good/c"],
]
CALLS = {
    "image": (["generate", "secret.nii.gz", *GENERATE, "--out", "free/o"], "secret.nii.gz"),
    "picture": (["generate", "secret.png", *GENERATE, "--out", "free/o"], "secret.png"),
    "labels": (
        ["generate", "image.nii.gz", "--labels", "secret.nii.gz", *GENERATE, "--out", "free/o"],
        "secret.nii.gz",
    ),
    "closed folder": (
        ["generate", "closed/image.nii.gz", *GENERATE, "--out", "free/o"],
        "closed",
    ),
    "closed labels": (
        [
            "generate",
            "image.nii.gz",
            "--labels",
            "closed/labels.nii.gz",
            *GENERATE,
            "--out",
            "free/o",
        ],
        "closed",
    ),
    "closed field": (["apply", "closed/u.nii.gz", "image.nii.gz", "--out", "free/o"], "closed"),
    "closed picture": (["generate", "closed/a.png", *GENERATE, "--out", "free/o"], "closed"),
    "closed row": (["augment", "closed.csv", *GENERATE[:2], "--out", "free/o"], "closed"),
    "model": (
        ["generate", "image.nii.gz", "--model", "secret.safetensors", "--out", "free/o"],
        "secret.safetensors",
    ),
    "field": (["apply", "secret-field.nii.gz", "image.nii.gz", "--out", "free/o"], "secret-field"),
    "out": (["generate", "image.nii.gz", *GENERATE, "--out", "locked/o"], "locked"),
    "out below": (["generate", "image.nii.gz", *GENERATE, "--out", "locked/a/b"], "locked"),
    "out closed": (["generate", "image.nii.gz", *GENERATE, "--out", "closed/o"], "closed"),
    "out full": (
        ["generate", "image.nii.gz", *GENERATE, "--out", "full", "--overwrite"],
        "full",
    ),
    "moved": (["apply", "u.nii.gz", "image.nii.gz", "--out", "locked/o"], "locked"),
    "data set": (["augment", "closed", *GENERATE[:2], "--out", "free/o"], "closed"),
    "run": (["augment", "set.csv", *GENERATE[:2], "--out", "locked/o"], "locked"),
}


@pytest.fixture(scope="module")
def found(home: Path) -> dict[str, tuple[int, str, str]]:
    """Code, stdout and stderr of every call, none of which leaves anything."""
    ran = subprocess.run(
        [sys.executable, "-c", CHILD],
        input=json.dumps([{name: call for name, (call, _) in CALLS.items()}, GOOD]),
        cwd=home,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "HOME": str(home / "free"),
            "OMP_NUM_THREADS": "1",
        },
        capture_output=True,
        encoding="utf-8",
    )
    assert ran.returncode == 0, ran.stderr
    reported, before = json.loads(ran.stdout)
    assert sorted(str(path.relative_to(home)) for path in home.rglob("*")) == before
    return {name: tuple(each) for name, each in reported.items()}


@pytest.mark.parametrize("kind", CALLS)
def test_without_rights_it_is_one_clear_line(
    kind: str, found: dict[str, tuple[int, str, str]]
) -> None:
    code, out, reported = found[kind]
    lines = [line for line in reported.splitlines() if line.startswith("error: ")]
    assert code == 2 and "Traceback" not in reported, reported
    assert len(lines) == 1 and CALLS[kind][1] in lines[0] and "unexpected" not in reported
    assert out == ""
