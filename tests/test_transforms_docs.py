"""The code of the pages on training loops, run as the scripts they are, workers and all."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import nibabel as nib
import pytest

from src_core import cardiac_phantom

DOCS = Path(__file__).resolve().parents[1] / "docs"


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    for index, name in enumerate(("p1", "p2", "p3")):
        phantom = cardiac_phantom(slices=3, phases=1, shape=(72, 64), seed=index)
        for kind, values in (("images", phantom.image), ("labels", phantom.labels)):
            (tmp_path / "scans" / kind).mkdir(parents=True, exist_ok=True)
            file = tmp_path / "scans" / kind / f"{name}.nii.gz"
            nib.save(nib.Nifti1Image(values[..., 0], phantom.affine), file)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("monai", "torch.Size([3, 1, 72, 64, 3])"),
        ("torchio", "torch.Size([3, 1, 72, 64, 3])"),
        ("pytorch", "torch.Size([3, 1, 72, 64, 3])"),
    ],
)
def test_the_page_runs(scans: Path, page: str, said: str) -> None:
    if page != "pytorch" and find_spec(page) is None:
        pytest.skip(f'needs {page}: pip install "napari-drdm[{page}]"')
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    script = scans / "page.py"
    script.write_text("\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL)), "utf-8")
    ran = subprocess.run(
        [sys.executable, script.name], cwd=scans, capture_output=True, encoding="utf-8", check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert said in ran.stdout
    assert "p3 made" in ran.stdout
    assert "failed" not in ran.stdout
