"""Parts of the comparison of augmentations, each by closed form or property."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from src_core.cases.grid import Grid
from src_core.errors import InputError
from src_core.experiments.records import Record
from src_core.fields import magnitude
from src_core.tasks.data import of_subjects, read_split
from src_core.tasks.output import markdown
from src_core.tasks.summary import means_of, paired_of
from src_core.transforms import Deformation

monai = pytest.importorskip("monai")
from src_core.tasks.segmentation.measures import figures_of  # noqa: E402
from src_core.tasks.segmentation.methods import METHODS, appearance, bigaug_spatial  # noqa: E402
from src_core.tasks.segmentation.network import predict, train  # noqa: E402
from src_core.tasks.segmentation.slice_stacks import SliceStack, one_hot  # noqa: E402
from src_core.tasks.segmentation.training_slices import TrainingSlices  # noqa: E402

SPACING = (8.0, 1.5, 1.5)


def stack(name: str = "a", side: int = 32, slices: int = 2) -> SliceStack:
    x, y = np.indices((side, side)) - np.array([14, 17]).reshape(2, 1, 1)
    classes = np.where(x**2 + y**2 < 25, 2, np.where(x**2 + (1.3 * y) ** 2 < 90, 1, 0))
    image = np.array([0.1, 0.5, 0.9])[classes] + 0.05 * np.cos(x)
    images = torch.from_numpy(np.stack([image] * slices)[:, None]).float()
    return SliceStack(name, name, images, torch.from_numpy(np.stack([classes] * slices)), SPACING)


class Shelf:
    """Stands in for a bank: variant n of a case moves by n state voxels along the first axis."""

    def get(self, name: str, index: int) -> Deformation:
        u = np.zeros((1, 2, 16, 16), np.float32)
        u[:, 0] = index + 1
        return Deformation(u, Grid((20, 24, 3), np.eye(4)), 2, 64, 48, index)


def pool(method: str, **more) -> TrainingSlices:
    return TrainingSlices(
        METHODS[method], [stack(), stack("b", slices=3)], 2, Shelf(), **{"seed": 1, **more}
    )


def marked(*places: tuple[slice | int, ...], label: int = 1) -> torch.Tensor:
    classes = torch.zeros(6, 20, 18, dtype=torch.long)
    for place in places:
        classes[place] = label
    return classes


def test_two_boxes_that_overlap_by_half():
    reported = marked(np.s_[1:3, 4:8, 5:9])
    seen = marked(np.s_[1:3, 6:12, 5:9])
    found = figures_of(seen, reported, (7,), SPACING)
    assert found["sensitivity 7"] == pytest.approx(2 / 4)
    assert found["precision 7"] == pytest.approx(2 / 6)
    assert found["dsc 7"] == found["dsc"] == pytest.approx(2 * 2 / (4 + 6))


@pytest.mark.parametrize(
    ("seen", "mm"),
    [(np.s_[3, 4:8, 5:9], 8.0), (np.s_[4, 4:8, 5:9], 16.0), (np.s_[2, 4:8, 5:9], 0.0)],
)
def test_planes_apart_have_their_distance_in_millimetres(seen, mm):
    reported = marked(np.s_[2, 4:8, 5:9])
    assert figures_of(marked(seen), reported, (1,), SPACING)["asd 1"] == pytest.approx(mm)


def test_lines_apart_in_the_plane_are_measured_by_its_pixels():
    found = figures_of(marked(np.s_[2, 4, 3:9]), marked(np.s_[2, 6, 3:9]), (1,), SPACING)
    assert found["asd"] == pytest.approx(2 * 1.5)


def test_a_missed_label_counts_as_nothing_found_and_an_absent_one_not_at_all():
    reported = marked(np.s_[1:3, 4:8, 5:9])
    found = figures_of(marked(), reported, (1, 2), SPACING)
    assert (found["dsc 1"], found["precision 1"], found["missed 1"]) == (0, 0, 1)
    assert math.isnan(found["asd 1"]) and math.isnan(found["dsc 2"])
    assert (found["dsc"], found["missed"]) == (0, 1) and math.isnan(found["asd"])


def test_without_augmentation_every_variant_is_the_slice_itself():
    none, original = pool("none"), stack()
    for variant in (0, 3):
        image, classes = none.get(1, variant)
        assert torch.equal(image, original.images[1].half())
        assert torch.equal(classes.long(), original.classes[1])


@pytest.mark.parametrize("method", METHODS)
def test_variants_follow_from_seed_case_slice_and_number_alone(method):
    torch.manual_seed(3)
    np.random.seed(3)
    states = torch.get_rng_state(), np.random.get_state()[1].copy()
    one, other = pool(method), pool(method)
    other.get(0, 5), other.get(3, 1)
    for index, variant in ((1, 2), (4, 1)):
        for ours, theirs in zip(one.get(index, variant), other.get(index, variant), strict=True):
            assert torch.equal(ours, theirs)
    assert torch.equal(states[0], torch.get_rng_state())
    assert (states[1] == np.random.get_state()[1]).all()


@pytest.mark.parametrize("method", ["bigaug", "appearance", "elastic", "drdm"])
def test_variants_differ_from_the_slice_and_variant_0_is_it(method):
    made = pool(method)
    images = torch.stack([made.get(0, variant)[0].float() for variant in range(6)])
    assert torch.equal(made.get(0, 0)[0], stack().images[0].half())
    assert len({tuple(image.flatten().tolist()) for image in images}) >= 5
    assert set(torch.cat([made.get(0, v)[1] for v in range(6)]).unique().tolist()) <= {0, 1, 2}


def test_another_seed_draws_differently():
    ours, theirs = (pool("bigaug", seed=s) for s in (1, 2))
    assert any(not torch.equal(ours.get(0, v)[0], theirs.get(0, v)[0]) for v in range(1, 5))


def test_a_field_of_the_models_grid_moves_the_slice_by_the_same_share_of_its_side():
    made, original = pool("drdm"), stack()
    image, classes = made.get(0, 2)  # two of 16 state voxels: 4 of 32 pixels
    assert torch.allclose(image[:, :-4].float(), original.images[0, :, 4:], atol=1e-3)
    assert torch.equal(classes[:-4].long(), original.classes[0, 4:])
    assert not classes[-4:].any()


def test_elastic_deformation_moves_as_much_as_the_models_on_average():
    elastic, drdm = pool("elastic"), pool("drdm")
    for variant in (1, 3):
        means = [float(magnitude(p.displacement("a", variant, 32)).mean()) for p in (elastic, drdm)]
        assert means[0] == pytest.approx(means[1], rel=1e-5) == pytest.approx(2 * variant)
    assert elastic.displacement("a", 1, 32).std() > 0.1


def test_appearance_leaves_labels_and_places_alone():
    made, original = pool("appearance"), stack()
    for variant in range(1, 5):
        assert torch.equal(made.get(0, variant)[1].long(), original.classes[0])


def test_bigaug_draws_each_transform_with_a_chance_of_one_half():
    image = stack().images[0]
    same = sum(torch.allclose(appearance(image, seed), image, atol=1e-6) for seed in range(800))
    assert 3 <= same <= 25  # 800 / 2**6 = 12.5
    planes = torch.cat([image, one_hot(stack().classes[0], 2)])
    still = sum(torch.allclose(bigaug_spatial(planes, seed), planes) for seed in range(160))
    assert 8 <= still <= 34  # 160 / 2**3 = 20


def test_every_method_is_trained_on_the_same_slices_from_the_same_weights(monkeypatch):
    seen: dict[str, list[object]] = {"none": [], "drdm": []}
    for method, calls in seen.items():
        made = pool(method)
        batch = made.batch
        monkeypatch.setattr(made, "batch", lambda c, f=batch, k=calls: (k.append(c), f(c))[1])
        options = {"times": 3, "steps": 3, "batch": 4, "seed": 5, "loss": "bce+dice"}
        options |= {"rate": 1e-3, "device": "cpu"}
        list(train(made, 2, **options))
    assert seen["none"] == seen["drdm"] and len(seen["drdm"]) == 3
    assert {v for call in seen["drdm"] for _, v in call} <= {0, 1, 2, 3}


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["bce", "bce+dice"])
def test_the_network_learns_and_a_seed_gives_the_same_weights(loss):
    options = {"times": 1, "steps": 100, "batch": 4, "seed": 5, "loss": loss}
    options |= {"rate": 1e-2, "device": "cpu"}
    runs = [[(v, n) for _, v, n in train(pool("none"), 2, **options)] for _ in range(2)]
    assert [v for v, _ in runs[0]] == [v for v, _ in runs[1]]
    network, original = runs[0][-1][1], stack()
    figures = figures_of(predict(network, original.images), original.classes, (1, 2), SPACING)
    assert figures["dsc"] > 0.9


def test_a_pixel_gets_the_likeliest_label_above_one_half():
    logits = torch.tensor([[-1.0, -2.0], [0.5, 0.2], [0.3, 4.0], [-3.0, 0.1]])

    class Fixed(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.anything = torch.nn.Parameter(torch.zeros(1))

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return logits.T.reshape(1, 2, 2, 2).expand(len(images), -1, -1, -1)

    assert predict(Fixed(), torch.zeros(3, 1, 2, 2))[2].flatten().tolist() == [0, 1, 2, 2]


def record(case: str, method: str, value: float, seed: int = 1, subjects: int = 5) -> Record:
    keys = {"method": method, "subjects": subjects, "seed": seed}
    return Record(case, case[0], keys, {"dsc": value, "asd": math.nan})


def test_means_and_paired_differences_with_intervals_by_subject():
    values = {"a1": 0.2, "a2": 0.4, "b1": 0.6, "b2": 0.6}
    records = [record(c, "none", v) for c, v in values.items()]
    records += [record(c, "drdm", v + 0.1) for c, v in values.items()]
    records.append(record("c1", "drdm", 0.9))
    none = next(m for m in means_of(records) if (m["method"], m["measure"]) == ("none", "dsc"))
    assert none["mean"] == pytest.approx(0.45) and none["n"] == 4 and none["seeds_sd"] is None
    assert (none["low"], none["high"]) == pytest.approx((0.3, 0.6))  # a twice, b twice
    pair = next(p for p in paired_of(records) if (p["method"], p["measure"]) == ("drdm", "dsc"))
    reported = pair["difference"], pair["low"], pair["high"]
    assert reported == pytest.approx((0.1, 0.1, 0.1)) and pair["n"] == 4
    assert all(m["n"] == 0 for m in means_of(records) if m["measure"] == "asd")


def test_trainings_of_other_seeds_are_paired_with_their_own():
    records = [record("a1", "none", 0.1, 1), record("a1", "none", 0.5, 2)]
    records += [record("a1", "drdm", 0.2, 1), record("a1", "drdm", 0.8, 2)]
    pair = next(p for p in paired_of(records) if p["method"] == "drdm")
    assert pair["difference"] == pytest.approx(0.2)
    mean = next(m for m in means_of(records) if m["method"] == "drdm" and m["measure"] == "dsc")
    assert mean["seeds_sd"] == pytest.approx(np.std([0.2, 0.8], ddof=1))


def test_the_table_shows_what_there_is():
    records = [record(c, "none", v) for c, v in {"a1": 0.25, "b1": 0.75}.items()]
    columns = [("dsc", "DSC", 100.0, 1), ("asd", "ASD mm", 1.0, 2)]
    assert markdown(means_of(records), columns, "dsc").splitlines()[2:] == [
        "| 5 | none | 50.0 (25.0 to 75.0) |  |"
    ]


def listed(folder: Path, rows: list[str]) -> Path:
    for row in rows:
        for name in row.split(",")[:2]:
            (folder / name).write_bytes(b"")
    path = folder / "set.csv"
    path.write_text("\n".join(["image,labels,subject,split", *rows]) + "\n")
    return path


def test_subjects_are_nested_whole_and_of_their_split(tmp_path):
    rows = [f"{s}{t}.nii,{s}{t}l.nii,{s},train" for s in "abcdefg" for t in (1, 2)]
    path = listed(tmp_path, [*rows, "x.nii,xl.nii,x,test", "v.nii,vl.nii,v,val"])
    trained, tested = read_split(path, path)
    assert [e.subject for e in tested] == ["x"] and len(trained) == 14
    taken = [[e.subject for e in of_subjects(trained, count)] for count in range(1, 8)]
    for count, (few, more) in enumerate(pairwise(taken), start=1):
        assert more[: len(few)] == few and len(few) == 2 * count
    with pytest.raises(InputError, match="8 subjects"):
        of_subjects(trained, 8)


def test_a_subject_in_both_parts_is_refused(tmp_path):
    path = listed(tmp_path, ["a1.nii,l1.nii,a,train", "a2.nii,l2.nii,a,test"])
    with pytest.raises(InputError, match="1 subjects are in training and test, such as a"):
        read_split(path, path)
