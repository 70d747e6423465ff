"""The code of the pages on pipelines, run as the scripts and commands they are, workers and all.

A page's fenced blocks run in order, Python blocks that follow each other as one script; what is
indented only is not run. nnU-Net's own commands run where it is installed.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from src_core import cardiac_phantom
from tests.support.paths import ROOT

DOCS = ROOT / "docs"
NNUNET = os.environ.get("NAPARI_DRDM_NNUNET") or (sys.executable if find_spec("nnunetv2") else "")
DRDM = "import sys; from src_core.cli import main; main()"
SHAPES = {"p1": (70, 66, 3), "p2": (75, 62, 11), "p3": (66, 81, 5)}  # no two sides alike
BATCH = "torch.Size([3, 1, 224, 224, 10])"
LOST = "lost there and back: "
SAID = {
    "monai": [BATCH, "p3 made", "('p1', 'p2', 'p3') 2", "torch.Size([1, 70, 66, 3])", LOST],
    "nnunet": ["{'0': 'image'}", "'label_3': 3} 9"],
    "pytorch": [BATCH, "p3 made"],
    "registration": ["step 40", "endpoint error", "Dice by the true field"],
    "torchio": [BATCH, "p3 made", LOST],
}
NEEDS = {"monai": "monai", "torchio": "torchio", "registration": "SimpleITK"}


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    for index, (name, (*shape, slices)) in enumerate(SHAPES.items()):
        phantom = cardiac_phantom(slices=slices, phases=1, shape=shape, seed=index)
        image = np.rint(255 * phantom.image / phantom.image.max()).astype(np.uint8)
        for kind, values in (("images", image), ("labels", phantom.labels)):
            (tmp_path / "scans" / kind).mkdir(parents=True, exist_ok=True)
            file = tmp_path / "scans" / kind / f"{name}.nii.gz"
            nib.save(nib.Nifti1Image(values[..., 0], phantom.affine), file)
    return tmp_path


def blocks(page: str) -> Iterator[tuple[str, str]]:
    """Language and text of a page's fenced blocks, neighbours of one language together."""
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    found = re.findall(r"^```(\w+)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    for language, some in groupby(found, key=lambda block: block[0]):
        yield language, "\n".join(block for _, block in some)


def ran(home: Path, call: list[str], path: str = "") -> str:
    """What a command says; it must not fail."""
    places = os.pathsep.join(part for part in (path, os.environ["PATH"]) if part)
    env = {**os.environ, "PATH": places, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        call, cwd=home, capture_output=True, encoding="utf-8", env=env, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


def shell(home: Path, text: str) -> str:
    """A shell block: our own commands by this Python, those of nnU-Net where it is."""
    if "nnUNetv2_" in text:
        bash = shutil.which("bash")
        if not NNUNET or bash is None:
            return ""
        return ran(home, [bash, "-euc", text], str(Path(NNUNET).parent))
    calls = [shlex.split(line) for line in text.splitlines() if line]
    assert all(words[0] == "drdm" for words in calls)
    return "".join(ran(home, [sys.executable, "-c", DRDM, *words[1:]]) for words in calls)


#: The others load MONAI or TorchIO, and some of them once more in each worker of a loader.
QUICKEST = {"nnunet", "pytorch"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [p if p in QUICKEST else pytest.param(p, marks=pytest.mark.proof) for p in SAID]
)
def test_the_page_runs(scans: Path, page: str) -> None:
    if page in NEEDS and find_spec(NEEDS[page]) is None:
        pytest.skip(f"needs {NEEDS[page]}, which is not installed")
    reported = ""
    for number, (language, text) in enumerate(blocks(page)):
        if language == "bash":
            reported += shell(scans, text)
        else:
            script = scans / f"page{number}.py"
            script.write_text(text, encoding="utf-8")
            reported += ran(scans, [sys.executable, script.name])
    for words in SAID[page]:
        assert words in reported
    assert "failed\n" not in reported
    for lost, top in re.findall(r"lost there and back: ([\d.]+) of (\d+)", reported):
        assert 0 < float(lost) < 0.2 * float(top)  # fine noise, interpolated twice
    if page == "registration":
        learns(reported)
    if page == "nnunet" and NNUNET:
        assert (scans / "preprocessed" / "Dataset527_scans" / "splits_final.json").is_file()
        assert "verify_dataset_integrity Done" in reported


def learns(printed: str) -> None:
    """The loss falls, and the true field takes the labels onto each other."""
    losses = [float(found) for found in re.findall(r"squared error ([\d.]+)", printed)]
    assert len(losses) == 40
    assert np.mean(losses[-10:]) < 0.9 * np.mean(losses[:10])
    before, learnt, true = (
        float(n) for n in re.findall(r"^Dice .*?([\d.]+)$", printed, re.MULTILINE)
    )
    assert before < learnt < true
    assert true > 0.95


def test_every_page_is_run() -> None:
    """A page with code that no test runs would be noticed here."""
    elsewhere = {"architecture", "augmentation", "pairs", "steering"}
    coded = {p.stem for p in DOCS.glob("*.md") if "\n```python" in p.read_text(encoding="utf-8")}
    assert set(SAID) | elsewhere >= coded
