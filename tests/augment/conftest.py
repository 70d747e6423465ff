"""Small models, data sets of rings and ramps, and what is made of them; read only."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import nibabel as nib
import pytest

from src_core import load_model
from src_core.augment import augment, make_plan
from src_core.models import library
from src_core.models.model import Model
from tests.support import augment_workers, augmented_pairs, tiny
from tests.support.augmenting import asked
from tests.support.files import bytes_of
from tests.support.ramps import oblique, ramp
from tests.support.rings import save_ring, save_tiny


@pytest.fixture(scope="session")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def model(file: Path) -> Model:
    return load_model(file, "cpu")


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rings")
    save_ring(folder, "p1_frame01", 6)
    save_ring(folder, "p1_frame09", 4)
    save_ring(folder, "p2", 7)
    return folder


@pytest.fixture(scope="session")
def done(data: Path, model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("done") / "out"
    assert [m.state for m in augment(make_plan(asked(data, out), model), model)] == ["made"] * 6
    return out


@pytest.fixture(scope="session")
def alone(data: Path, model: Model, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What one worker makes."""
    out = tmp_path_factory.mktemp("alone") / "out"
    made = augment_workers.done(augment_workers.asked(data, out), model)
    assert Counter(m.state for m in made) == {"made": 12}
    return bytes_of(out)


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two ramps with labels, and a file that is no image."""
    home = tmp_path_factory.mktemp("ramps") / "scans"
    for kind in ("images", "labels"):
        (home / kind).mkdir(parents=True)
    for name in ("anna", "bert"):
        case = ramp((34, 30, 3))
        for kind, values in (("images", case.image + len(name)), ("labels", case.label_map)):
            nib.save(nib.Nifti1Image(values, oblique()), home / kind / f"{name}.nii.gz")
    (home / "images" / "cora.nii.gz").write_bytes(b"no image")
    return home


@pytest.fixture(scope="session")
def made_pairs(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four pairs of the ramps, in every layout."""
    out, model = tmp_path_factory.mktemp("pairs") / "out", tiny.model()
    asked = augmented_pairs.request(dataset, out, formats=augmented_pairs.FORMATS)
    assert Counter(m.state for m in augment(make_plan(asked, model), model))["made"] == 4
    return out


@pytest.fixture
def named_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder with one small model."""
    path = tiny.save(tmp_path / "models")
    monkeypatch.setattr(library, "user_folder", lambda: tmp_path / "models")
    return path
