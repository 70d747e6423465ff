"""Banks: what ``make_bank`` made, and what a run of ``drdm augment`` left, draw the same fields."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch

from src_core import load_model
from src_core.augment import Request, augment, make_plan
from src_core.errors import InputError
from src_core.transforms import Bank, Deformation, Live, Scan, deform, make_bank, random_deform
from src_core.transforms.sources import as_source
from src_core.transforms.tensors import below_of
from tests.support import tiny
from tests.support.loops import ball, live, scan, untouched


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


def scans(home: Path) -> Path:
    """Two cases in a folder as a training has it."""
    for number, name in enumerate(("p1", "p2")):
        image = (ball() * 10 + number).astype(np.int16)
        for kind, values in (("images", image), ("labels", (image > 500).astype(np.uint8))):
            (home / kind).mkdir(parents=True, exist_ok=True)
            nib.save(nib.Nifti1Image(values, tiny.OBLIQUE), home / kind / f"{name}.nii.gz")
    return home


def run_of(maker: Live, home: Path, **asked: Any) -> Path:
    """A finished run of two new cases of each."""
    options = {"slices": maker.slices, "steps": maker.steps}
    request = Request(home / "scans", home / "more", 2, (30, 50), seed=4, options=options, **asked)
    model = load_model(maker.model, "cpu")
    states = [m.state for m in augment(make_plan(request, model), model) if hasattr(m, "state")]
    assert states == ["made"] * (6 if request.with_sources else 4)
    return home / "more"


@pytest.mark.parametrize(
    ("ndim", "slices", "asked"),
    [
        (2, "shared", {"formats": ("nifti",), "with_sources": True}),
        (2, "each", {"formats": ("cases",)}),
        (2, "shared", {"formats": ("nnunet",), "field_format": "fsl"}),
        (3, "shared", {"formats": ("decathlon", "cases")}),
    ],
)
def test_a_run_of_augment_is_a_bank(
    folder: Path, tmp_path: Path, ndim: int, slices: str, asked: dict[str, Any]
) -> None:
    maker = live(folder, ndim, slices=slices)
    scans(tmp_path / "scans")
    bank = as_source(run_of(maker, tmp_path, **asked))
    assert isinstance(bank, Bank)
    assert bank.names == ("p1", "p2")
    case = tmp_path / "scans" / "images" / "p2.nii.gz"
    image = np.asarray(nib.load(case).dataobj)
    assert bank.count("p2") == 2
    for index in range(2):
        kept = bank.get("p2", index)
        made = maker.make(Scan(image, kept.grid), kept.level, kept.seed)
        assert kept.axis == made.axis
        assert len(kept.u) == len(made.u)
        assert np.abs(kept.field() - made.field()).max() < 1e-4
        assert np.abs(made.field()).max() > 1
        values = torch.from_numpy(image).float()[None]
        there, there_too = deform(values, kept), deform(values, made)
        assert (there - there_too).abs().max() < 0.1
        back, back_too = (deform(there, one, inverse=True) for one in (kept, made))
        assert (back - back_too).abs().max() < 0.5
    assert bank.find(str(case)) == "p2"


def test_it_is_the_bank_that_make_bank_makes(folder: Path, tmp_path: Path) -> None:
    maker = replace(live(folder), levels=(30, 50))
    scans(tmp_path / "scans")
    run = Bank(run_of(maker, tmp_path))
    reported = list(make_bank(tmp_path / "scans", tmp_path / "bank", maker, per_case=2, seed=4))
    assert [t.state for t in reported] == ["made", "made"]
    bank = Bank(tmp_path / "bank")
    assert bank.names == run.names
    for name in bank.names:
        for index in range(2):
            one, other = bank.get(name, index), run.get(name, index)
            assert (one.level, one.seed) == (other.level, other.seed)
            assert np.abs(one.field() - other.field()).max() < 1e-4


def test_a_run_travels_as_its_folder_and_is_drawn_from(folder: Path, tmp_path: Path) -> None:
    scans(tmp_path / "scans")
    bank = Bank(run_of(live(folder), tmp_path, formats=("nifti",)))
    bank.get(bank.names[0], 0)
    assert len(pickle.dumps(bank)) < 300
    again = pickle.loads(pickle.dumps(bank))
    with untouched():
        drawn = {
            again(scan(name="p1"), below_of(torch.Generator().manual_seed(s))).seed
            for s in range(20)
        }
    assert drawn == {bank.get("p1", index).seed for index in range(2)}
    values = torch.from_numpy(ball())[None]
    generator = torch.Generator().manual_seed(1)
    made = random_deform(values, source=bank, generator=generator, name="p1", affine=tiny.OBLIQUE)
    assert (made.image - values).abs().mean() > 1
    (tmp_path / "more" / "fields" / "p1-001.nii.gz").unlink()
    with pytest.raises(InputError, match=r"p1-001\.nii\.gz"):
        Bank(tmp_path / "more").get("p1", 0)


@pytest.mark.parametrize("files", [{}, {"pairs/p1-001/displacement.nii.gz": "0"}])
def test_a_run_without_fields_is_no_bank(tmp_path: Path, files: dict[str, str]) -> None:
    line = {"name": "p1-001", "case": "p1", "index": 1, "state": "made", "files": files}
    line |= {"metrics": {"level": 40, "seed": 1}}
    (tmp_path / "manifest.jsonl").write_text(json.dumps(line) + "\n")
    with pytest.raises(InputError, match="make_bank or drdm augment"):
        Bank(tmp_path).names  # noqa: B018


class Drawn(torch.utils.data.Dataset):
    """Samples that their number decides alone."""

    def __init__(self, source: Any, count: int) -> None:
        self.source, self.count = source, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(index)
        values = torch.from_numpy(ball())[None]
        asked = {"source": self.source, "generator": generator, "name": "p1"}
        return random_deform(values, affine=tiny.OBLIQUE, **asked).image


@pytest.mark.slow
def test_spawned_workers_make_the_bits_that_this_process_makes(
    folder: Path, tmp_path: Path
) -> None:
    scans(tmp_path / "scans")
    for source in (live(folder), Bank(run_of(live(folder), tmp_path))):
        data = Drawn(source, 4)
        here = [data[index] for index in range(4)]
        loader = torch.utils.data.DataLoader(
            data, batch_size=None, num_workers=2, multiprocessing_context="spawn"
        )
        assert all(map(torch.equal, loader, here))
    assert not torch.equal(here[0], here[1]) or not torch.equal(here[0], here[2])


def test_a_field_that_is_the_same_on_all_slices_but_moves_across_them_stays_whole() -> None:
    field = np.ones((*ball().shape, 3), np.float32)
    kept = Deformation.of_field(field, scan().grid, 40, 1)
    assert kept.axis is None
    assert np.abs(kept.field() - field).max() < 1e-6
    empty = Deformation.of_field(0 * field, scan().grid, 0, 1)
    assert empty.u.shape == (1, 2, *ball().shape[:2])
    values = torch.from_numpy(ball())[None]
    assert torch.allclose(deform(values, empty), values, atol=1e-4)
