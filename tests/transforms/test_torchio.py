"""``RandomDRDM`` among TorchIO's transforms: history, replay, undoing, random numbers, loaders."""

from __future__ import annotations

import pickle
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from src_core.cases.case import Case
from src_core.errors import ArgumentError
from src_core.transforms import Live, make_bank
from tests.support import tiny
from tests.support.loops import SHAPE, ball, live, scan, untouched

tio = pytest.importorskip(
    "torchio", reason='needs TorchIO: pip install "napari-drdm[torchio]"', exc_type=ImportError
)

from src_core.transforms import DRDM, RandomDRDM  # noqa: E402


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Live:
    return live(tmp_path_factory.mktemp("models"))


def subject(shape: tuple[int, ...] = SHAPE, affine: Any = tiny.OBLIQUE, **more: Any) -> Any:
    image = torch.from_numpy(ball(shape))[None]
    return tio.Subject(
        scan=tio.ScalarImage(tensor=image, affine=affine),
        seg=tio.LabelMap(tensor=(image > 50).to(torch.uint8), affine=affine),
        **more,
    )


def middle(image: Any) -> torch.Tensor:
    return image.data[:, 8:-8, 10:-10].float()


def off(a: Any, b: Any, name: str = "scan") -> float:
    return float((middle(a[name]) - middle(b[name])).abs().mean())


def test_image_and_label_move_together(maker: Live) -> None:
    given = subject(age=61)
    made = RandomDRDM(maker, seed=1)(given)
    assert made.age == 61
    assert off(made, given) > 1
    for name in ("scan", "seg"):
        assert made[name].data.dtype == given[name].data.dtype
        assert np.array_equal(made[name].affine, given[name].affine)
    assert type(made.seg) is tio.LabelMap
    agree = (middle(made.scan) > 50) == middle(made.seg).bool()
    assert agree.float().mean() > 0.98
    assert not given.history


def test_history_replays_and_undoes(maker: Live) -> None:
    given = subject()
    made = RandomDRDM(maker, seed=2)(given)
    assert [type(t) for t in made.history] == [DRDM]
    assert "Deformation(level=" in repr(made.history[0])
    again = made.get_composed_history()(given)
    for name in ("scan", "seg"):
        assert torch.equal(again[name].data, made[name].data)
    back = made.apply_inverse_transform()
    assert not back.history
    assert off(back, given) < 0.1 * off(made, given)
    assert off(back, given, "seg") < 0.1 * off(made, given, "seg")
    kept = made.history[0].deformation
    assert np.array_equal(maker.make(scan(), kept.level, kept.seed).u, kept.u)


@pytest.mark.slow
@pytest.mark.slow
def test_fifty_samples_through_a_pipeline_and_back(maker: Live, tmp_path: Path) -> None:
    """Live and from a bank: undone with less loss than TorchIO's elastic, replayed to the bit."""
    given = subject((64, 80, 6), np.diag([1.2, 0.9, 8, 1]), who="p1")
    case = Case.from_arrays(given.scan.numpy()[0], affine=given.scan.affine)
    list(make_bank({"p1": case}, tmp_path, maker, per_case=8))

    def losses(transform: Any) -> list[float]:
        torch.manual_seed(0)
        pipeline = tio.Compose([tio.ToCanonical(), transform, tio.RandomFlip(axes=0, p=0.5)])
        found = []
        for _ in range(50):
            made = pipeline(given)
            assert any("D" in t.name for t in made.history)
            again = made.get_composed_history()(given)
            assert all(torch.equal(again[n].data, made[n].data) for n in ("scan", "seg"))
            back = made.apply_inverse_transform(warn=False)
            assert back.scan.shape == given.scan.shape
            found.append(off(back, given) / max(off(made, given), 1e-3))
        return found

    elastic = tio.RandomElasticDeformation(7, (7, 7, 0), image_interpolation="linear")
    theirs = np.median(losses(elastic))
    for ours in map(losses, (RandomDRDM(maker), RandomDRDM(tmp_path, case="who"))):
        assert np.median(ours) < theirs
        assert max(ours) < 0.2


def test_torchs_seed_counts_as_for_their_own(maker: Live) -> None:
    transform = RandomDRDM(maker)
    given = subject()
    torch.manual_seed(7)
    first, second = transform(given), transform(given)
    torch.manual_seed(7)
    assert torch.equal(transform(given).scan.data, first.scan.data)
    assert not torch.equal(first.scan.data, second.scan.data)


def test_torchs_numbers_are_drawn_from_and_never_seeded(maker: Live) -> None:
    """Four draws, known one by one: whether, level, seed, and TorchIO's own for the replay."""
    transform, given = RandomDRDM(maker), subject()
    others = np.random.get_state()[1].copy(), random.getstate()
    torch.manual_seed(7)
    transform(given)
    after = torch.get_rng_state()
    expected = torch.Generator().manual_seed(7)
    torch.rand(1, generator=expected)
    for n in (maker.levels[1] - maker.levels[0] + 1, 2**31):
        torch.randint(n, (1,), generator=expected)
    torch.rand(1, generator=expected)
    assert torch.equal(after, expected.get_state())
    assert np.array_equal(np.random.get_state()[1], others[0])
    assert random.getstate() == others[1]


def test_a_seed_of_its_own_leaves_torchs_alone(maker: Live) -> None:
    given, transform = subject(), RandomDRDM(maker, seed=3)
    with untouched():
        made = [transform(given).scan.data for _ in range(3)]
    again = RandomDRDM(maker, seed=3)
    assert all(torch.equal(again(given).scan.data, one) for one in made)
    assert not torch.equal(made[0], made[1])
    assert not torch.equal(RandomDRDM(maker, seed=4)(given).scan.data, made[0])


def test_a_probability_and_what_is_left_out(maker: Live) -> None:
    given, transform = subject(), RandomDRDM(maker, p=0.5, seed=1)
    kept = [transform(given).scan.data is given.scan.data for _ in range(20)]
    assert 3 < sum(kept) < 17
    made = RandomDRDM(maker, exclude=["seg"], seed=1)(given)
    assert torch.equal(made.seg.data, given.seg.data)
    assert off(made, given) > 1
    chosen = tio.OneOf([RandomDRDM(maker, seed=1)])(given)
    assert [t.name for t in chosen.history] == ["DRDM"]


def test_interpolations(maker: Live) -> None:
    given = subject()
    linear = RandomDRDM(maker, seed=1)(given)
    others = RandomDRDM(maker, "cubic", "nearest", seed=1)(given)
    assert 0 < off(linear, others) < 1
    assert 0 < off(linear, others, "seg") < 0.05
    for wrong in ({"image_interpolation": "bspline"}, {"label_interpolation": "cubic"}):
        with pytest.raises(ArgumentError, match="interpolation"):
            RandomDRDM(maker, **wrong)  # type: ignore[arg-type]


def test_images_of_one_subject_on_two_grids(maker: Live) -> None:
    given = subject()
    half = tiny.OBLIQUE @ np.diag([2, 2, 1, 1.0])
    given.add_image(tio.ScalarImage(tensor=given.scan.data[:, ::2, ::2], affine=half), "small")
    made = RandomDRDM(maker, seed=1)(given)
    expected = made.scan.data[:, ::2, ::2]
    wrong = (made.small.data - expected)[:, 4:-4, 5:-5].abs().mean()
    assert wrong < 0.15 * (given.small.data - expected)[:, 4:-4, 5:-5].abs().mean()
    assert made.small.shape == given.small.shape


def test_from_a_bank_by_file_or_by_name(maker: Live, tmp_path: Path) -> None:
    case = Case.from_arrays(ball(), affine=tiny.OBLIQUE)
    list(make_bank({"p1": case}, tmp_path / "bank", maker, per_case=2))
    subject().scan.save(tmp_path / "p1.nii.gz")
    given = tio.Subject(scan=tio.ScalarImage(tmp_path / "p1.nii.gz"))
    made = RandomDRDM(tmp_path / "bank", seed=5)(given)
    named = RandomDRDM(tmp_path / "bank", case="who", seed=5)(subject(who="p1"))
    assert torch.equal(made.scan.data, named.scan.data)
    turned = RandomDRDM(tmp_path / "bank", seed=5)(tio.ToCanonical()(given))
    there = tio.ToCanonical()(made)
    assert (turned.scan.data - there.scan.data).abs().max() < 0.02


def test_tensors_pictures_and_a_subject_without_images(maker: Live) -> None:
    flat = torch.from_numpy(ball((40, 52)))[None, ..., None]
    made = RandomDRDM(maker, seed=1)(flat)
    assert made.shape == flat.shape
    assert not torch.equal(made, flat)
    with pytest.raises(ArgumentError, match="hold an image"):
        RandomDRDM(maker, include=["none"], seed=1)(subject())


def test_it_is_pickled(maker: Live) -> None:
    transform = RandomDRDM(maker, seed=1)
    transform(subject())
    again = pickle.loads(pickle.dumps(transform))
    made = transform(subject())
    assert torch.equal(again(subject()).scan.data, made.scan.data)
    assert torch.equal(
        pickle.loads(pickle.dumps(made)).history[0](subject()).scan.data, made.scan.data
    )


def identity(batch: list[Any]) -> list[Any]:
    return batch


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "seed"), [("fork", None), ("fork", 3), ("spawn", None), ("spawn", 3)]
)
def test_in_a_loader_every_worker_draws_its_own(maker: Live, method: str, seed: int | None) -> None:
    if method not in torch.multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} on this platform")
    data = tio.SubjectsDataset([subject()] * 4, transform=RandomDRDM(maker, seed=seed))

    def loaded() -> list[torch.Tensor]:
        generator = torch.Generator().manual_seed(4)
        loader = torch.utils.data.DataLoader(
            data,
            num_workers=2,
            multiprocessing_context=method,
            collate_fn=identity,
            generator=generator,
        )
        return [one.scan.data for batch in loader for one in batch]

    first = loaded()
    pairs = [(a, b) for i, a in enumerate(first) for b in first[:i]]
    assert len(pairs) == 6
    assert not any(torch.equal(a, b) for a, b in pairs)
    assert all(map(torch.equal, first, loaded()))
