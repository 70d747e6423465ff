"""The folder of a session: whole or not at all, and nothing in it is trusted."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from napari.layers import Image, Labels, Shapes

from napari_drdm.sessions.folder import VariantFiles, read_session, read_variant, write_session
from napari_drdm.sessions.found_layers import FoundLayer, LayerAnswer, find_layer, layer_settings
from napari_drdm.sessions.records import FormRecord, ModelRecord, SessionRecord, VariantRecord
from napari_drdm.sessions.taken_layers import identified, take_layer
from src_core.errors import InputError
from src_core.generation import Options

OBLIQUE = np.array([[1.2, 0.3, 0, 5], [-0.4, 0.9, 0, -7], [0, 0, 8, 3], [0, 0, 0, 1.0]])
VALUES = np.random.default_rng(0).integers(-5, 900, (3, 20, 24)).astype(np.int16)
TURN = [[1, 0, 0], [0, 0.8, -0.6], [0, 0.6, 0.8]]


def variant(**changes) -> VariantRecord:
    model = ModelRecord(name="tiny", sha256="0" * 64, file="/nowhere/tiny.safetensors")
    options = Options(level=30, seed=5, targets=("volume 2 x1.2", "still 2:5,1:4,0:3"))
    whole = {"name": "L30 S5", "source": "image-1", "model": model, "folder": "variants/1"}
    return VariantRecord(**{"options": options, **whole, **changes})


def session(*layers: object, **changes) -> tuple[SessionRecord, dict]:
    found = [identified(take_layer(layer, n)) for n, layer in enumerate(layers, 1)]
    whole = {"layers": tuple(one.record for one in found), "variants": (variant(),)}
    form = FormRecord(settings={"level": 30}, image="image-1", shown=0)
    record = SessionRecord(software="1", form=form, **{**whole, **changes})
    return record, {one.record.stored: one.write for one in found if one.write}


def files(**changes) -> VariantFiles:
    picture = np.random.default_rng(1).integers(0, 255, (12, 12, 3)).astype(np.uint8)
    return VariantFiles(**{"picture": picture, "metrics": {"max_mm": 1.5}, **changes})


def image(**changes) -> Image:
    about = {"drdm": {"affine": OBLIQUE, "label_names": {2: "LV"}}}
    place = {"scale": (8, 0.9486833, 1.2649111), "translate": (3, -2, 7), "rotate": TURN}
    look = {"colormap": "magma", "contrast_limits": (10, 90), "gamma": 1.5, "opacity": 0.5}
    return Image(VALUES, name="heart", metadata=about, **{**place, **look, **changes})


def test_a_session_comes_back_as_it_was(tmp_path: Path):
    labels = Labels((VALUES > 500).astype(np.uint8), name="heart labels", opacity=0.4)
    record, sources = session(image(), labels)
    path = write_session(tmp_path / "a.drdm", record, sources, (files(),))
    again = read_session(path)
    assert again == record and again.variants[0].options.targets == variant().options.targets
    assert np.array_equal(read_variant(path, "variants/1").picture, files().picture)
    assert read_variant(path, "variants/1").metrics == {"max_mm": 1.5}
    found = find_layer(again.layers[0], path)
    assert isinstance(found, FoundLayer)
    layer, before = Image(found.values, **layer_settings(found)), image()
    assert layer.data.dtype == np.int16 and np.array_equal(layer.data, VALUES)
    assert np.allclose(layer.data_to_world((1, 2, 3)), before.data_to_world((1, 2, 3)))
    assert (layer.gamma, layer.opacity, *layer.contrast_limits) == (1.5, 0.5, 10, 90)
    about = layer.metadata["drdm"]
    assert about["label_names"] == {2: "LV"} and np.array_equal(about["affine"], OBLIQUE)
    stored = nib.load(path / again.layers[0].stored)
    assert np.allclose(stored.affine, OBLIQUE) and stored.shape == (24, 20, 3)
    masks = find_layer(again.layers[1], path)
    assert np.array_equal(masks.values, labels.data) and masks.values.dtype == np.uint8


def test_a_layer_of_a_file_is_named_by_path_and_digest(tmp_path: Path):
    file = tmp_path / "heart.nii.gz"
    nib.Nifti1Image(VALUES.T, np.diag([1.2, 1.4, 8, 1])).to_filename(file)
    about = {"drdm": {"path": str(file)}}
    record, sources = session(Image(VALUES, name="heart", scale=(8, 1.4, 1.2), metadata=about))
    assert sources == {} and record.layers[0].file == str(file)
    path = write_session(tmp_path / "a.drdm", record, sources, (files(),))
    assert np.array_equal(find_layer(record.layers[0], path).values, VALUES)
    moved = file.rename(tmp_path / "moved.nii.gz")
    missing = find_layer(record.layers[0], path)
    assert missing.kind == "missing" and f"not at {file}" in missing.words
    assert "locate" in missing.words and "\n" not in missing.words
    found = find_layer(record.layers[0], path, LayerAnswer(path=moved))
    assert np.array_equal(found.values, VALUES) and found.path == moved
    nib.Nifti1Image(VALUES.T + 1, np.diag([1.2, 1.4, 8, 1])).to_filename(file)
    assert find_layer(record.layers[0], path).kind == "changed"
    accepted = find_layer(record.layers[0], path, LayerAnswer(path=file, accept=True))
    assert np.array_equal(accepted.values, VALUES + 1)
    file.write_bytes(b"no image")
    assert find_layer(record.layers[0], path).kind == "unreadable"


def test_regions_keep_their_shapes():
    corners = np.array([[2.5, 3], [2.5, 9], [8, 9], [8, 3]])
    taken = take_layer(Shapes([corners], shape_type="rectangle", name="region"), 3)
    assert taken.record.id == "shapes-3" and taken.snapshot is None
    assert np.allclose(taken.record.shapes[0].corners, corners)


def test_a_session_is_replaced_as_a_whole_or_stays(tmp_path: Path, monkeypatch):
    record, sources = session(image())
    path = write_session(tmp_path / "a.drdm", record, sources, (files(),))
    before = sorted(p.relative_to(path) for p in path.rglob("*"))
    new, more = session(Image(VALUES + 1, name="heart"), variants=(variant(name="other"),))
    with pytest.raises(TypeError):
        write_session(path, new, more, (files(metrics={"no": object()}),))
    broken = {inside: lambda place: place.joinpath("no", "folder").touch() for inside in more}
    with pytest.raises(InputError, match="cannot be written"):
        write_session(path, new, broken, (files(),))
    replace = os.replace

    def refused(source, target):
        if Path(target) == path and read_session(Path(source)) == new:
            raise OSError("no space")
        replace(source, target)

    monkeypatch.setattr(os, "replace", refused)
    with pytest.raises(InputError, match="no space"):
        write_session(path, new, more, (files(),))
    monkeypatch.undo()
    assert read_session(path) == record and os.listdir(tmp_path) == ["a.drdm"]
    assert sorted(p.relative_to(path) for p in path.rglob("*")) == before
    write_session(path, new, more, (files(),))
    assert read_session(path) == new and os.listdir(tmp_path) == ["a.drdm"]
    assert not (path / record.layers[0].stored).exists()


def test_what_is_no_session_is_not_replaced(tmp_path: Path):
    record, sources = session(image())
    (tmp_path / "a.drdm").mkdir()
    (tmp_path / "a.drdm" / "precious.txt").write_text("mine")
    with pytest.raises(InputError, match="in the way"):
        write_session(tmp_path / "a.drdm", record, sources, (files(),))
    assert (tmp_path / "a.drdm" / "precious.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": 2}, "version 2.*update"),
        ({"version": 0}, "damaged"),
        ({"format": "other"}, "damaged"),
        ({"more": 1}, "damaged at more"),
        ({"layers": []}, "layers are missing"),
    ],
)
def test_other_sessions_are_refused_in_one_line(tmp_path: Path, change, words):
    record, sources = session(image())
    path = write_session(tmp_path / "a.drdm", record, sources, (files(),))
    raw = json.loads((path / "session.json").read_text())
    (path / "session.json").write_text(json.dumps({**raw, **change}))
    with pytest.raises(InputError, match=f"(?s){words}"):
        read_session(path)


@pytest.mark.parametrize(
    "inside",
    [
        "../a",
        "/etc/passwd",
        "sources/..",
        "sources/../../a",
        "sources\\..\\a",
        "C:/a",
        "else/a",
        "",
    ],
)
def test_paths_out_of_the_folder_are_refused(tmp_path: Path, inside):
    record, sources = session(image())
    path = write_session(tmp_path / "a.drdm", record, sources, (files(),))
    for place in ("layers", "variants"):
        raw = json.loads((path / "session.json").read_text())
        raw[place][0]["stored" if place == "layers" else "folder"] = inside
        (tmp_path / "b.drdm").mkdir(exist_ok=True)
        (tmp_path / "b.drdm" / "session.json").write_text(json.dumps(raw))
        with pytest.raises(InputError, match="damaged"):
            read_session(tmp_path / "b.drdm")


@pytest.mark.skipif(os.name != "posix", reason="links need a right of their own on Windows")
def test_links_out_of_the_folder_are_refused(tmp_path: Path):
    record, sources = session(image())
    path = write_session(tmp_path / "a.drdm", record, sources, (files(),))
    outside = (path / record.layers[0].stored).rename(tmp_path / "outside.nii.gz")
    (path / record.layers[0].stored).symlink_to(outside)
    with pytest.raises(InputError, match="outside"):
        find_layer(record.layers[0], path)
