"""Models by name and file, options, devices and recipes; what is wrong is refused in one line."""

from __future__ import annotations

import hashlib
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from src_core.cases.case import Case
from src_core.diffusion.schedule import Schedule
from src_core.errors import InputError
from src_core.generation import Options, Result, generate, make_options, save_result
from src_core.generation.recipe import differences, digests
from src_core.io import read_case
from src_core.models.checkpoint import read_spec, save_model
from src_core.models.device import choose_device, fixed_threads
from src_core.models.library import (
    find_model,
    import_model,
    list_models,
    load_model,
    remove_model,
    user_folder,
)
from src_core.models.model import Card, ModelSpec
from src_core.models.nn import VelocityUNetConfig, build

FILES = {"image", "labels", "displacement", "inverse", "jacobian"}


def spec(name: str = "small") -> ModelSpec:
    return ModelSpec(
        name=name,
        size=64,
        mm_per_pixel=(1.0, 2.5),
        schedule=Schedule(control=16, components=(16, 8, 4), sigma=1e-4),
        network=VelocityUNetConfig(widths=(8, 12), embedding=8),
        card=Card(title="Café", figures={"dice": 0.5}),
    )


def network(seed: int = 0) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = build(spec().network)
        nn.init.normal_(net.head.weight, std=0.02)
    return net


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return save_model(tmp_path / "small.safetensors", spec(), network())


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of the user's models."""
    folder = tmp_path / "user" / "models"
    monkeypatch.setattr("src_core.models.library.user_folder", lambda: folder)
    return folder


def arrays() -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 900, (36, 28, 2)).astype(np.int16)
    return image, (image > 500).astype(np.uint8) * 4


@pytest.fixture
def case() -> Case:
    image, labels = arrays()
    return Case.from_arrays(image, labels, spacing=(1.4, 1.9, 8.0))


@pytest.fixture
def result(case: Case, file: Path) -> Result:
    return generate(case, load_model(file, "cpu"), level=30, seed=2, steps=2)


# Files


def test_a_model_comes_back_as_it_was_saved(file: Path) -> None:
    model = load_model(file, "cpu")
    assert model.spec == spec() == read_spec(file)
    expected = network().state_dict()
    assert all(torch.equal(v, expected[k]) for k, v in model.network.state_dict().items())
    assert not model.network.training
    assert not any(p.requires_grad for p in model.network.parameters())
    assert model.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


@torch.no_grad()
def test_a_prediction_takes_the_velocity_away(file: Path) -> None:
    """Minus the network's answer, in units of v's deviation, in state voxels, mean over views."""
    model = load_model(file, "cpu")
    model.network.head.weight.zero_()
    model.network.head.bias.copy_(torch.tensor([0.5, -1.0]))
    velocity = model.predict(torch.rand(3, 1, 64, 64), 20)
    assert velocity.shape == (1, 2, 16, 16)
    unit = 1e-4 * 16 * (1 + 4 + 16) ** 0.5 * 2
    expected = torch.tensor([-0.5 * unit, unit]).view(1, 2, 1, 1).expand_as(velocity)
    torch.testing.assert_close(velocity, expected)


def test_loading_a_model_leaves_the_global_generator_alone(file: Path) -> None:
    state = torch.random.get_rng_state()
    load_model(file, "cpu")
    assert torch.equal(torch.random.get_rng_state(), state)


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
@pytest.mark.parametrize("writer", ["pickle", "torch"])
def test_a_pickle_is_refused_and_never_run(
    tmp_path: Path, user: Path, ending: str, writer: str
) -> None:
    path, mark = tmp_path / f"model{ending}", tmp_path / "ran"
    if writer == "pickle":
        path.write_bytes(pickle.dumps({"weights": Trap(mark)}))
    else:
        torch.save({"weights": Trap(mark)}, path)
    for use in (load_model, import_model):
        with pytest.raises(InputError) as caught:
            use(path)
        assert "\n" not in str(caught.value) and path.name in str(caught.value)
    assert not mark.exists(), "the pickle was run"
    assert not user.exists() or not any(user.iterdir())


def broken(path: Path, kind: str) -> Path:
    whole = save_model(path, spec(), network()).read_bytes()
    size = int.from_bytes(whole[:8], "little")
    header = json.loads(whole[8 : 8 + size])
    if kind == "empty":
        path.write_bytes(b"")
        return path
    if kind == "cut":
        path.write_bytes(whole[: len(whole) // 2])
        return path
    if kind == "no spec":
        del header["__metadata__"]
    elif kind == "another spec":
        header["__metadata__"]["drdm"] = '{"format": 2}'
    elif kind == "spec is no JSON":
        header["__metadata__"]["drdm"] = "{"
    else:
        wider = spec().model_copy(update={"network": VelocityUNetConfig(widths=(8, 16))})
        header["__metadata__"]["drdm"] = wider.model_dump_json()
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + whole[8 + size :])
    return path


@pytest.mark.parametrize(
    "kind", ["empty", "cut", "no spec", "another spec", "spec is no JSON", "other weights"]
)
def test_a_broken_model_is_refused(tmp_path: Path, kind: str) -> None:
    path = broken(tmp_path / "broken.safetensors", kind)
    with pytest.raises(InputError, match="not a model") as caught:
        load_model(path, "cpu")
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": 72}, "size 72 and control 16 do not fit"),
        ({"size": 128}, "the network answers on 16 points a side"),
        ({"network": VelocityUNetConfig(stem=8, widths=(8, 8))}, "the network answers on 4 points"),
        ({"network": VelocityUNetConfig(widths=(8,) * 6, embedding=8)}, "cannot be halved"),
        ({"network": VelocityUNetConfig(widths=(8,), output_stage=1)}, "cannot be halved"),
    ],
    ids=["state", "network", "stem", "halvings", "stage"],
)
def test_grids_that_are_not_in_step_are_no_spec(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ModelSpec.model_validate({**dict(spec()), **change})


# Names


def test_a_user_s_model_is_imported_listed_loaded_and_removed(file: Path, user: Path) -> None:
    assert "small" not in {m.name for m in list_models()}
    entry = import_model(file)
    assert entry.path == user / "small.safetensors"
    assert [m.path for m in list_models() if m.name == "small"] == [entry.path]
    loaded = load_model("small", "cpu").network.state_dict()
    assert all(torch.equal(v, loaded[k]) for k, v in network().state_dict().items())
    with pytest.raises(InputError, match="a model called small is there already"):
        import_model(file)
    second = import_model(file, "small two/ü")
    assert second.path.parent == user and read_spec(second.path).name == "small two/ü"
    assert remove_model("small") == entry.path and not entry.path.exists()
    assert find_model("small two/ü") == second.path
    with pytest.raises(InputError, match="no model called small"):
        remove_model("small")


def test_other_files_among_the_user_s_models_are_passed_over(file: Path, user: Path) -> None:
    import_model(file)
    (user / "notes.txt").write_text("x")
    (user / "aaa.safetensors").write_bytes(b"no model")
    assert [m.name for m in list_models() if not m.shipped] == ["small"]


def test_shipped_models_stay(user: Path) -> None:
    for entry in [m for m in list_models() if m.shipped]:
        with pytest.raises(InputError, match="came with the package"):
            remove_model(entry.name)
        assert entry.path.exists()


def test_unknown_models_are_told_with_what_there_is(file: Path, user: Path, tmp_path: Path) -> None:
    import_model(file)
    with pytest.raises(InputError, match=r"no model called nonesuch.*small"):
        load_model("nonesuch")
    with pytest.raises(InputError, match="no such model"):
        load_model(tmp_path / "nonesuch.safetensors")
    with pytest.raises(InputError, match="drdm models import"):
        load_model(tmp_path / "published.pth")
    with pytest.raises(InputError):
        import_model(tmp_path / "nonesuch.pth")


def test_a_name_never_leaves_the_user_s_folder(file: Path, user: Path) -> None:
    assert import_model(file, "../../up").path.parent == user
    with pytest.raises(InputError, match="is no name for a model"):
        import_model(file, "..")


def test_the_user_s_folder_is_the_platform_s() -> None:
    assert user_folder().parts[-2:] == ("napari-drdm", "models")


def test_names_that_make_one_file_name_do_not_overwrite_each_other(file: Path, user: Path) -> None:
    first = import_model(file, "a b").path.read_bytes()
    with pytest.raises(InputError, match="is there already"):
        import_model(file, "a/b")
    assert (user / "a-b.safetensors").read_bytes() == first


# Devices and options


def test_devices() -> None:
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto").type in ("cpu", "cuda", "mps")
    for name in ("gpu", "cuda:99", "meta", ""):
        with pytest.raises(InputError, match="is unavailable, device"):
            choose_device(name)


def test_fixed_threads_are_put_back_even_on_errors() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with pytest.raises(KeyError), fixed_threads(1):
            assert torch.get_num_threads() == 1
            raise KeyError
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ({"level": 81}, "0 to 80"),
        ({"level": -1}, "0 to 80"),
        ({"level": 4.5}, "0 to 80"),
        ({"steps": 0}, "1 or more"),
        ({"seed": -1}, "a whole number from 0"),
        ({"seed": 2**63}, "a whole number from 0"),
        ({"slices": "all"}, "shared"),
        ({"interpolation": "quintic"}, "linear"),
        ({"colour": "red"}, "colour"),
    ],
    ids=str,
)
def test_an_impossible_option_is_told_in_one_line(
    case: Case, file: Path, option: dict[str, object], expected: str
) -> None:
    (name,) = option
    with pytest.raises(InputError, match=expected) as caught:
        generate(case, load_model(file, "cpu"), **option)
    assert "\n" not in str(caught.value) and f", {name}, " in str(caught.value)


def test_possible_options_are_kept() -> None:
    assert make_options(80, level=80, seed=0, steps=1) == Options(level=80, seed=0, steps=1)
    assert make_options(80, level=0).level == 0


# Recipes


def own_digest(array: NDArray[np.generic]) -> str:
    little = np.ascontiguousarray(array)
    head = f"{little.dtype.newbyteorder('<').str}{little.shape}".encode()
    return hashlib.sha256(head + little.tobytes()).hexdigest()


def test_a_recipe_knows_inputs_model_options_and_outputs(
    result: Result, case: Case, file: Path
) -> None:
    recipe = json.loads(json.dumps(result.recipe))
    image, labels = arrays()
    found = {name: entry["sha256"] for name, entry in recipe["inputs"]["arrays"].items()}
    assert found == {"image": own_digest(image), "labels": own_digest(labels)}
    np.testing.assert_array_equal(recipe["inputs"]["affine"], case.grid.affine)
    assert recipe["model"]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert Options(**recipe["options"]) == Options(level=30, seed=2, steps=2)
    made = {
        "image": result.case.image,
        "labels": result.case.label_map,
        "displacement": result.displacement,
        "inverse": result.inverse,
        "jacobian": result.jacobian,
    }
    assert recipe["outputs"] == {name: own_digest(array) for name, array in made.items()}
    assert set(made) == FILES
    assert recipe["machine"]["torch"] and recipe["threads"] == 1 and recipe["batch"] == 1


def test_a_recipe_fixes_the_default_number_of_steps(case: Case, file: Path) -> None:
    model = load_model(file, "cpu")
    assert generate(case, model, level=30).recipe["options"]["steps"] == model.spec.recovery.steps
    assert generate(case, model, level=3).recipe["options"]["steps"] == 3


def test_one_voxel_changes_the_digest(case: Case) -> None:
    image, labels = arrays()
    before = digests(case)
    image[3, 4, 1] += 1
    other = digests(Case.from_arrays(image, labels))
    assert other["image"] != before["image"] and other["labels"] == before["labels"]
    wider = digests(Case.from_arrays(arrays()[0].astype(np.int32), labels))
    assert wider["image"] != before["image"], "the type belongs to the digest"
    fortran = digests(Case.from_arrays(np.asfortranarray(arrays()[0]), labels))
    assert fortran == before, "the memory layout does not"


def test_differences_between_recipes_are_named(result: Result) -> None:
    recipe = result.recipe
    assert differences(recipe, recipe) == []
    outputs = {**recipe["outputs"], "inverse": "0"}
    del outputs["labels"]
    assert differences(recipe, {**recipe, "outputs": outputs}) == ["inverse", "labels"]


# Folders


def test_a_result_without_files_is_saved_with_its_input(result: Result, tmp_path: Path) -> None:
    out = save_result(result, tmp_path / "out")
    names = {f"{n}.nii.gz" for n in (*FILES, "input", "input-labels")}
    assert {p.name for p in out.iterdir()} == names | {"recipe.json", "metrics.json"}
    again = read_case(out / "input.nii.gz", out / "input-labels.nii.gz")
    saved = json.loads((out / "recipe.json").read_text())["inputs"]["arrays"]
    assert digests(again) == {k: v["sha256"] for k, v in saved.items()}
    assert read_case(out / "image.nii.gz").image.tobytes() == result.case.image.tobytes()


def test_a_folder_with_content_is_never_touched(result: Result, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("precious")
    with pytest.raises(InputError, match=r"not empty.*--overwrite"):
        save_result(result, out)
    assert [p.name for p in tmp_path.rglob("*") if p.suffix != ".safetensors"] == [
        "out",
        "mine.txt",
    ]
    save_result(result, out, overwrite=True)
    assert (out / "mine.txt").read_text() == "precious"
    assert (out / "image.nii.gz").exists()


def test_nothing_is_left_of_a_save_that_fails(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("src_core.generation.save.write_scalar", full)
    before = set(tmp_path.rglob("*"))
    with pytest.raises(OSError, match="No space left"):
        save_result(result, tmp_path / "deep" / "out")
    assert set(tmp_path.rglob("*")) == before
