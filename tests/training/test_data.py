"""Data sets for training: which files, which split, weights, copies, and images beyond memory."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch

from src_core.datasets.reading import Entry, read_images
from src_core.errors import InputError
from src_core.models.preprocessing import Preprocessing
from src_core.training.data import ModelGrid, load_store, spread_images
from src_core.training.sources import split_sources

FLAT = ModelGrid(32, 2, Preprocessing())


def save(path: Path, shape: tuple[int, ...], seed: int) -> Path:
    values = np.random.default_rng(seed).integers(-50, 900, shape).astype(np.int16)
    nib.save(nib.Nifti1Image(values, np.diag([1.5, 1.1, 6, 1])), path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "data"
    home.mkdir()
    save(home / "a.nii.gz", (12, 20, 3), 1)
    save(home / "b.nii.gz", (14, 10, 2, 3), 2)
    return home


def table(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_slices_come_from_volumes_and_cines(folder: Path, tmp_path: Path) -> None:
    store = load_store(read_images(folder), FLAT, tmp_path / "cache")
    assert store.images.shape == (3 + 2 * 3, 1, 32, 32)
    np.testing.assert_allclose(store.shares, [1 / 6] * 3 + [1 / 12] * 6)
    assert not (tmp_path / "cache").exists()


def test_a_3d_model_takes_volumes_and_frames(folder: Path, tmp_path: Path) -> None:
    grid = ModelGrid(16, 3, Preprocessing())
    assert load_store(read_images(folder), grid, tmp_path / "c").images.shape == (4, 1, 16, 16, 16)


def test_images_of_a_labelled_folder_are_in_images(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "set" / "labels").mkdir(parents=True)
    folder.rename(tmp_path / "set" / "images")
    assert [s.image.name for s in read_images(tmp_path / "set")] == ["a.nii.gz", "b.nii.gz"]


@pytest.mark.parametrize("limit", [0, 3 * 32 * 32])
def test_images_beyond_memory_are_mapped_and_the_same(
    folder: Path, tmp_path: Path, limit: int
) -> None:
    sources, cache = read_images(folder), tmp_path / "run" / "images.u8"
    kept = load_store(sources, FLAT, cache)
    mapped = load_store(sources, FLAT, cache, limit)
    assert [p.name for p in cache.parent.iterdir()] == ["images.u8"]
    assert cache.stat().st_size == kept.images.numel()
    assert torch.equal(mapped.images, kept.images) and mapped.digest == kept.digest
    mapped.images[0] = 7
    assert cache.read_bytes() == kept.images.numpy().tobytes(), "the file is not written to"


def test_nothing_is_left_where_a_file_cannot_be_read(folder: Path, tmp_path: Path) -> None:
    (folder / "c.nii.gz").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"c\.nii\.gz") as caught:
        load_store(read_images(folder), FLAT, tmp_path / "run" / "images.u8", 0)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_two_files_of_the_same_images_are_reported(folder: Path, tmp_path: Path) -> None:
    (folder / "copy.nii.gz").write_bytes((folder / "a.nii.gz").read_bytes())
    with pytest.raises(InputError, match=r"same images.*a\.nii\.gz and .*copy\.nii\.gz"):
        load_store(read_images(folder), FLAT, tmp_path / "cache")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a.nii.gz,1\nb.nii.gz,1\na.nii.gz,2", r"listed twice, .*lines 2 and 4"),
        ("a.nii.gz,much", "weight much is not possible"),
        ("a.nii.gz,-1", "weight -1 is not possible"),
        (",1", "no image, .*line 2"),
    ],
)
def test_a_wrong_row_is_reported_with_its_line(folder: Path, rows: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_images(table(folder / "set.csv", f"image,weight\n{rows}\n"))


def test_the_column_split_says_what_is_trained_on(folder: Path) -> None:
    rows = "image,labels,split\na.nii.gz,,val\nb.nii.gz,,Train\nc.nii.gz,,test\n"
    train, held = split_sources(read_images(table(folder / "set.csv", rows)), 0.5, 1)
    assert [s.image.name for s in train] == ["b.nii.gz"]
    assert [s.image.name for s in held] == ["a.nii.gz"]
    only = table(folder / "set.csv", "image,split\na.nii.gz,val\n")
    with pytest.raises(InputError, match="no image to train on"):
        split_sources(read_images(only), 0.5, 1)


def test_subjects_are_held_out_whole() -> None:
    sources = [Entry(Path(f"{s}-{i}"), subject=f"s{s}") for s in range(10) for i in range(3)]
    train, held = split_sources(sources, 0.2, 4)
    assert len(train) == 24 and len({s.subject for s in held}) == 2
    assert not {s.subject for s in train} & {s.subject for s in held}
    assert (train, held) == split_sources(sources, 0.2, 4)
    assert held != split_sources(sources, 0.2, 5)[1]
    assert split_sources(sources[:4], 0.2, 4)[1] == []


def test_validation_images_are_spread_over_files_and_slices(folder: Path) -> None:
    names, views = spread_images(read_images(folder), FLAT, 3)
    assert names == ["a 1", "b 1", "b 4"]
    assert views.shape == (3, 1, 32, 32) and float(views.max()) <= 1
