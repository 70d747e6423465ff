"""Label maps of many values and of every stored type: right, or one clear line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
import torch
from numpy.typing import NDArray
from scipy import ndimage

from src_core.cases.case import Case
from src_core.errors import InputError
from src_core.fields import label_votes
from src_core.fields import sampling as warp
from src_core.fields.label_changes import label_metrics
from src_core.fields.sampling import labels_by_torch
from src_core.generation import generate
from src_core.io import read_case
from tests.support import tiny

SHAPE = (40, 34, 3)


def blocks(count: int, shape: tuple[int, ...], size: int = 3, seed: int = 0) -> NDArray[np.int64]:
    """Random labels 0 to ``count`` - 1 in blocks, all of them somewhere."""
    rng = np.random.default_rng(seed)
    coarse = tuple(-(-n // size) for n in shape)
    values = rng.permutation(np.resize(np.arange(count), coarse).ravel()).reshape(coarse)
    for axis in range(len(shape)):
        values = values.repeat(size, axis)
    return values[tuple(slice(n) for n in shape)]


@pytest.mark.parametrize("grain", [0, 2, 4], ids=["anywhere", "halves", "quarters"])
@pytest.mark.parametrize("mode", ["linear", "nearest"])
@pytest.mark.parametrize("shape", [(40, 31), (17, 14, 21), (40, 1), (5, 9, 2)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_many_labels_are_voted_for_as_one_by_one(
    dtype: torch.dtype,
    shape: tuple[int, ...],
    mode: Any,
    grain: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draw = torch.Generator().manual_seed(3)
    labels = torch.randint(-4, 5, (2, 1, *shape), generator=draw)
    sides = [torch.rand((2, *shape), generator=draw, dtype=dtype) * (n + 3) - 2 for n in shape]
    at = torch.stack(sides, 1)
    at = (at * grain).round() / grain if grain else at
    one_by_one = labels_by_torch(labels, at, mode)
    monkeypatch.setattr(warp, "_FEW_LABELS", 0)
    monkeypatch.setattr(label_votes, "_POINTS_AT_ONCE", 333)
    assert torch.equal(labels_by_torch(labels, at, mode), one_by_one)
    assert torch.equal(labels_by_torch(labels[:1], at, mode)[:1], one_by_one[:1])


def test_three_hundred_labels_cost_no_more_samples_than_nine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[int] = []
    sample = warp.sample_by_torch
    monkeypatch.setattr(warp, "sample_by_torch", lambda *a, **k: calls.append(1) or sample(*a, **k))
    at = warp.identity((60, 50), torch.zeros(1)) + 0.3
    for count in (8, 9, 300):
        labels_by_torch(torch.from_numpy(blocks(count, (60, 50), 2))[None, None], at, "linear")
    assert len(calls) == 8


def test_three_hundred_labels_are_those_of_simpleitk(tmp_path: Path) -> None:
    values = blocks(300, SHAPE, 2).astype(np.uint16)
    image = np.random.default_rng(1).integers(0, 200, SHAPE).astype(np.int16)
    affine = np.diag([1.2, 1.0, 8.0, 1.0])
    case = Case.from_arrays(image, values, affine=affine)
    made = generate(case, tiny.model(), level=60, seed=2, label_interpolation="nearest")
    assert made.metrics["max_mm"] > 1 and made.case.label_map is not None
    where = sitk.GetImageFromArray(values.transpose(2, 1, 0))
    where.SetSpacing((1.2, 1.0, 8.0))
    where.SetDirection((-1, 0, 0, 0, -1, 0, 0, 0, 1))
    field = sitk.GetImageFromArray(
        made.displacement.transpose(2, 1, 0, 3).astype(float), isVector=True
    )
    field.CopyInformation(where)
    theirs = sitk.Resample(
        where, where, sitk.DisplacementFieldTransform(field), sitk.sitkNearestNeighbor, 0
    )
    same = sitk.GetArrayFromImage(theirs).transpose(2, 1, 0) == made.case.label_map
    assert same.mean() > 0.995
    assert len(made.metrics["label_volume_change"]) == 299


TYPES = {
    "uint8": [0, 3, 255],
    "int16": [-7, 0, 4, 900],
    "uint16": list(range(0, 65536, 300)),
    "int32": [0, 70000, -70000, 3],
    "int64": [0, 2**40, 5],
    "float32": [0, 1, -2],
    "float64": [0, 2.0**40, 6],
}


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("time", [(), (3,)], ids=["volume", "cine"])
def test_label_metrics_are_those_counted_one_by_one(kind: str, time: tuple[int, ...]) -> None:
    shape = (12, 14, 9, *time)
    values = np.array(TYPES[kind])
    before = values[blocks(len(values), shape, 3) if len(values) < 200 else
                    blocks(len(values), shape, 2)].astype(kind)  # fmt: skip
    rng = np.random.default_rng(2)
    after = np.where(rng.random(shape) < 0.2, 0, np.roll(before, 2, 0)).astype(kind)
    jacobian = rng.normal(size=shape[:3]).astype(np.float32) + 1
    image = rng.normal(size=shape).astype(np.float32)
    one, other = (Case.from_arrays(image, m, spacing=1.5) for m in (before, after))
    reported = label_metrics(one, other, jacobian)
    folded = np.broadcast_to((jacobian <= 0)[(..., *[None] * len(time))], shape)
    present = [v for v in np.unique(before).tolist() if v]
    assert list(reported["label_volume_change"]) == [str(int(v)) for v in present]
    for value in present:
        old, new = (int((m == value).sum()) for m in (before, after))
        name, ml = str(int(value)), 1.5**3 / 1000 / (time[0] if time else 1)
        assert reported["label_volume_change"][name] == pytest.approx(100 * (new / old - 1))
        assert reported["label_volume_ml"][name] == pytest.approx([old * ml, new * ml])
        folds = int(((after == value) & folded).sum())
        assert reported["label_folding_permille"][name] == pytest.approx(1000 * folds / max(new, 1))
    gone = [int(v) for v in present if not (after == v).any()]
    split = [int(v) for v in present if pieces(after == v) > pieces(before == v)]
    assert reported["labels_lost"] == gone and reported["labels_split"] == split


def pieces(mask: NDArray[np.bool_]) -> int:
    first = mask[..., 0] if mask.ndim == 4 else mask
    found, _ = ndimage.label(first, ndimage.generate_binary_structure(3, 2))
    return int((np.bincount(found.ravel())[1:] >= 8).sum())


@pytest.mark.parametrize("kind", TYPES)
def test_labels_of_any_type_come_back_as_they_are_stored(kind: str, tmp_path: Path) -> None:
    values = np.array(TYPES[kind]).astype(kind)
    labels = values[blocks(len(values), SHAPE)]
    image = np.random.default_rng(1).integers(0, 200, SHAPE).astype(np.int16)
    for name, data in (("i", image), ("l", labels)):
        picture = nib.Nifti1Image(data, np.diag([1.2, 1, 8, 1]), dtype=data.dtype)
        nib.save(picture, tmp_path / f"{name}.nii")
    case = read_case(tmp_path / "i.nii", tmp_path / "l.nii")
    made = generate(case, tiny.model(), level=50, seed=2)
    assert made.case.label_map is not None and made.case.label_map.dtype == np.dtype(kind)
    assert set(np.unique(made.case.label_map)) <= set(values.tolist())
    assert (made.case.label_map != labels).any()


@pytest.mark.parametrize(
    ("data", "slope", "message"),
    [
        (np.array([0, 1.5, 2], "f4"), 1.0, "not whole numbers"),
        (np.array([0, 1e20, 2], "f4"), 1.0, "label values go up to 1e+20"),
        (np.array([0, 1, 30000], "i2"), 1e20, "label values go up to 3e+24"),
    ],
)
def test_labels_that_are_none_are_one_clear_line(
    data: NDArray[Any], slope: float, message: str, tmp_path: Path
) -> None:
    labels = data[blocks(3, SHAPE)]
    header = nib.Nifti1Header()
    header.set_data_shape(SHAPE)
    header.set_data_dtype(labels.dtype)
    header["vox_offset"], header["scl_slope"], header["pixdim"][1:4] = 352, slope, 1
    path = tmp_path / "l.nii"
    path.write_bytes(header.binaryblock + bytes(4) + labels.tobytes(order="F"))
    image = nib.Nifti1Image(blocks(9, SHAPE).astype("i2"), np.diag([-1, -1, 1, 1]))
    nib.save(image, tmp_path / "i.nii")
    with pytest.raises(InputError) as caught:
        read_case(tmp_path / "i.nii", path)
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_slope_may_make_labels_too_large_for_their_type(tmp_path: Path) -> None:
    labels = blocks(3, SHAPE).astype(np.uint16)
    header = nib.Nifti1Header()
    header.set_data_shape(SHAPE)
    header.set_data_dtype(np.uint16)
    header["vox_offset"], header["scl_slope"], header["pixdim"][1:4] = 352, 3e9, 1
    (tmp_path / "l.nii").write_bytes(header.binaryblock + bytes(4) + labels.tobytes(order="F"))
    image = nib.Nifti1Image(blocks(9, SHAPE).astype("i2"), np.diag([-1, -1, 1, 1]))
    nib.save(image, tmp_path / "i.nii")
    case = read_case(tmp_path / "i.nii", tmp_path / "l.nii")
    assert case.label_map is not None and case.label_map.dtype == np.int64
    assert np.array_equal(case.label_map, labels.astype(np.int64) * 3_000_000_000)
