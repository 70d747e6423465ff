"""What importing the transforms loads, and what is missing."""

from __future__ import annotations

import subprocess
import sys


def test_neither_monai_nor_torchio_is_loaded_for_tensors() -> None:
    code = (
        "import sys; from src_core.transforms import Bank, Live, random_deform;"
        "print({'monai', 'torchio', 'SimpleITK', 'napari'} & set(sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    )
    assert ran.stdout.strip() == "set()"


def test_a_missing_package_is_named() -> None:
    code = "import sys; sys.modules['torchio'] = None; from src_core.transforms import RandomDRDM"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False
    )
    assert 'pip install "napari-drdm[torchio]"' in ran.stderr
