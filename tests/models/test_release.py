"""The published weights and fields, step by step against arrays made with the released code."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from src_core.diffusion.release_field import RELEASE, release_ddf, release_dvf
from src_core.errors import ArgumentError, InputError
from src_core.fields import compose
from src_core.models.model import ModelSpec
from src_core.models.nn.acnn import AcnnUNet, predict, time_table
from src_core.models.prediction import build
from src_core.models.release import (
    release_network,
    release_spec,
    release_state,
    release_step,
    release_warp,
)

SIDE = 256
RUNS = ("acdc_s4_level48_seed1", "acdc_s7_level30_seed2")
ROWS = [(RUNS[0], row) for row in (79, 60, 40, 20, 0)] + [(RUNS[1], row) for row in (60, 40, 20, 0)]
COMPOSED = [(RUNS[0], 79), (RUNS[0], 40), (RUNS[0], 0), (RUNS[1], 0)]


class Run:
    """One stored run; displacements in voxels of 256^2."""

    def __init__(self, path: Path) -> None:
        with np.load(path) as file:
            self.arrays = {key: torch.from_numpy(file[key]) for key in file.files}
        self.level = int(self.arrays["level"])

    def __getitem__(self, key: str) -> Tensor:
        array = self.arrays[key]
        return array * SIDE if key.startswith(("ddf", "dvf")) else array

    def before(self, row: int) -> Tensor:
        return self["ddf0" if row == 79 else f"ddf_before{row}"]

    def draws(self, first: int) -> tuple[Tensor, ...]:
        return tuple(self[f"noise{first + i}_{n}"] for i, n in enumerate(RELEASE.components))


@pytest.fixture(scope="module")
def runs(reference_dir: Path) -> dict[str, Run]:
    paths = {name: reference_dir / f"{name}.npz" for name in RUNS}
    for path in paths.values():
        if not path.is_file():
            pytest.skip(f"no reference arrays {path}")
    return {name: Run(path) for name, path in paths.items()}


@pytest.fixture(scope="module")
def weights(reference_dir: Path) -> Path:
    path = reference_dir / "000000_cmr_recresacnet.pth"
    if not path.is_file():
        pytest.skip(f"no published weights {path}")
    return path


@pytest.fixture(scope="module")
def network(weights: Path) -> AcnnUNet:
    return release_network(weights)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def worst(a: Tensor, b: Tensor) -> float:
    return float((a - b).abs().max())


@pytest.mark.parametrize("name", RUNS)
def test_random_field_and_target_are_the_release_s(runs: dict[str, Run], name: str) -> None:
    run = runs[name]
    assert RELEASE.n_ddf(run.level) == int(run["n_compose_ddf"])
    assert RELEASE.n_dvf(run.level) == int(run["n_compose_dvf"])
    u = release_ddf(run.draws(0), run.draws(4), RELEASE.n_ddf(run.level))
    assert worst(u, run["ddf0"]) <= 1e-2
    assert worst(release_dvf(run.draws(0), RELEASE.n_dvf(run.level)), run["dvf_target"]) <= 1e-3


@pytest.mark.parametrize("name", RUNS)
def test_diffused_image_is_the_release_s(runs: dict[str, Run], name: str) -> None:
    run = runs[name]
    assert worst(release_warp(run["image"], run["ddf0"]), run["image_diffused"]) <= 1e-4


@pytest.mark.parametrize(("name", "row"), ROWS)
@torch.inference_mode()
def test_one_call_is_the_release_s(
    runs: dict[str, Run], network: AcnnUNet, name: str, row: int
) -> None:
    run = runs[name]
    image = release_warp(run["image"], run.before(row))
    assert worst(predict(network, image, torch.tensor([row])), run[f"dvf_step{row}"]) <= 1e-2


@pytest.mark.parametrize(("name", "row"), COMPOSED)
def test_one_step_is_the_release_s(
    runs: dict[str, Run], network: AcnnUNet, name: str, row: int
) -> None:
    run = runs[name]
    after, image = run[f"ddf_step{row}"], run["image"]
    assert worst(compose(run.before(row), run[f"dvf_step{row}"], "zeros"), after) <= 2e-3
    u = release_step(network, image, run.before(row), row + 1)
    assert worst(u, after) <= 2e-2
    assert worst(release_warp(image, after), run[f"image_step{row}"]) <= 1e-4


def test_all_published_weights_are_taken_over(weights: Path, network: AcnnUNet) -> None:
    published = torch.load(weights, map_location="cpu", weights_only=True)
    ours = network.state_dict()
    assert len(ours) == len(published)
    assert sum(v.numel() for v in ours.values()) == 443_435
    assert worst(time_table(80, 100), published["time_embed.weight"]) <= 1e-5


def test_spec_as_a_file_holds_it_builds_a_network_for_the_weights(weights: Path) -> None:
    spec = ModelSpec.model_validate_json(release_spec().model_dump_json())
    build(spec.network).load_state_dict(release_state(weights))


class Opens:
    """A pickle of it creates a file wherever it is loaded without care."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (str(self.path), "w")


@pytest.mark.parametrize("protocol", [0, 2, 4, 5, None])
def test_a_pickle_that_runs_code_is_refused_unrun(tmp_path: Path, protocol: int | None) -> None:
    path, mark = tmp_path / "weights.pth", tmp_path / "ran"
    if protocol is None:
        torch.save({"time_embed.weight": Opens(mark)}, path)
    else:
        path.write_bytes(pickle.dumps({"time_embed.weight": Opens(mark)}, protocol=protocol))
    with pytest.raises(InputError, match=r"could run code|not a checkpoint") as error:
        release_state(path)
    assert not mark.exists()
    assert "\n" not in str(error.value) and str(path) in str(error.value)


@pytest.mark.parametrize(
    "content", [b"", b"hello world" * 9, b"PK\x03\x04" + bytes(99), bytes(999)]
)
def test_what_is_no_checkpoint_is_reported_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    with pytest.raises(InputError, match="not a checkpoint") as error:
        release_state(path)
    assert "\n" not in str(error.value) and str(path) in str(error.value)


def test_missing_files_and_other_state_dicts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        release_state(tmp_path / "none.pth")
    for content, message in (([1, 2], "not a state dict"), ({"a": torch.ones(2)}, "'a'")):
        torch.save(content, tmp_path / "other.pth")
        with pytest.raises(InputError, match=message):
            release_state(tmp_path / "other.pth")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("down2.weight", None, "missing weight 'down2.weight'"),
        ("down9.weight", torch.ones(3), "unknown weight 'down9.weight'"),
        ("b4.1.conv0.bias", torch.ones(21), r"\(21,\).*expected shape \(20,\)"),
        ("te_mid.2.bias", "text", "is str"),
        ("conv_out.bias", torch.tensor([0.0, float("nan")]), "not finite"),
    ],
)
def test_weights_that_do_not_fit_are_named(
    weights: Path, tmp_path: Path, key: str, value: object, message: str
) -> None:
    stored: dict[str, object] = torch.load(weights, map_location="cpu", weights_only=True)
    stored[key] = value
    if value is None:
        del stored[key]
    torch.save(stored, tmp_path / "changed.pth")
    with pytest.raises(InputError, match=message):
        release_state(tmp_path / "changed.pth")


def test_level_moves_what_the_network_says(network: AcnnUNet) -> None:
    image = torch.rand(1, 1, 64, 64)
    low, high = (network(image, torch.tensor([row])) for row in (2, 70))
    assert worst(low, high) > 1e-3


def test_field_in_3d_and_in_one_direction_of_it() -> None:
    """A control field constant along its last two axes is the same on every plane."""
    draws = [torch.randn(1, 3, n, 1, 1).expand(1, 3, n, n, n) for n in RELEASE.components]
    u = release_dvf(tuple(draws), 3, size=64)
    assert u.shape == (1, 3, 64, 64, 64)
    assert worst(u, u[..., :1, :1].expand_as(u)) <= 1e-4 < float(u.std())


def test_scaling_follows_the_release_and_not_geometry() -> None:
    """Twice the image's side: four times the voxels, where the same map would have twice."""
    draws = tuple(torch.ones(1, 2, n, n) for n in RELEASE.components)
    small, large = (release_dvf(draws, 2, size) for size in (128, 256))
    assert torch.allclose(large, 4 * small[..., :1, :1].expand_as(large), rtol=1e-4)
    # 15 = 1 + 2 + 4 + 8, two compositions, 256 / 64 times as a fraction of the side.
    assert torch.allclose(large, torch.tensor(4.0e-5 * 15 * 2 * 4 * 256), rtol=1e-4)


def test_sizes_that_cannot_be_are_refused() -> None:
    draws = tuple(torch.randn(1, 2, n, n) for n in RELEASE.components)
    with pytest.raises(ArgumentError, match="multiple of 32"):
        release_dvf(draws, 1, size=200)
