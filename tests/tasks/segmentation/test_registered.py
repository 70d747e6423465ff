"""Fields between other subjects: which, on which grid, and that the task trains with them."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from safetensors import safe_open

from src_core.cli import run
from src_core.datasets.reading import Entry
from src_core.errors import InputError
from src_core.fields import certify
from src_core.fields.sampling import identity, sample
from src_core.models.library import load_model
from src_core.tasks.segmentation import registered as module
from src_core.tasks.segmentation.crop import CropGrid
from src_core.tasks.segmentation.registered import RegisteredFields, check_registered
from src_core.tasks.segmentation.slice_stacks import read_stack
from tests.support.tiny import save_unet

pytest.importorskip("SimpleITK")
#: The first axis points to the patient's front, the second to the left; voxels are oblong.
TURNED = np.array([[0, -1.6, 0, 3], [1.2, 0, 0, 5], [0, 0, 8, 7], [0, 0, 0, 1]], dtype=float)
CROP = CropGrid(32, 2.0)
TIMES = 2


def person(folder: Path, name: str, long: float, short: float, at: float = 0) -> Entry:
    """Ellipses in mm, long from front to back, and a disc to their right; small in other slices."""
    x, y, z = np.indices((44, 50, 3), dtype=float)
    x, y = (x - 21.5) * 1.2 - at, (y - 24.5) * 1.6 + at / 2
    inner = (x / long) ** 2 + (y / short) ** 2 + 0.8 * (z != 1)
    labels = np.where(inner < 0.4, 2, np.where(inner < 1, 1, 0)).astype(np.uint8)
    labels[(x + 3) ** 2 + (y + short + 8) ** 2 < 36] = 3
    values = np.array([30, 110, 160, 90])[labels] + 5 * np.cos(x / 6)
    for kind, array in (("i", values.astype(np.int16)), ("l", labels)):
        nib.save(nib.Nifti1Image(array, TURNED), folder / f"{name}-{kind}.nii.gz")
    return Entry(folder / f"{name}-i.nii.gz", folder / f"{name}-l.nii.gz", name[0])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where people, banks and a model are."""
    return tmp_path_factory.mktemp("registered")


@pytest.fixture(scope="module")
def people(home: Path) -> dict[str, Entry]:
    """Round ``t`` among a round and two long ones, who lie elsewhere."""
    made = {
        "t_ed": person(home, "t_ed", 14, 14, 3),
        "r_ed": person(home, "r_ed", 15, 15, -2),
        "l_ed": person(home, "l_ed", 19, 11.8, 2),
        "m_ed": person(home, "m_ed", 18.4, 11.4),
    }
    save_unet(home / "tiny.safetensors")
    return made


@pytest.fixture(scope="module")
def maker(people: dict[str, Entry], home: Path) -> Callable[..., RegisteredFields]:
    spec = load_model(str(home / "tiny.safetensors"), "cpu").spec

    def make(entries: dict[str, Entry] = people, folder: Path | None = None) -> RegisteredFields:
        return RegisteredFields(folder or home / "f", entries, (1, 2, 3), spec, CROP, TIMES)

    return make


def stretch(labels: torch.Tensor) -> float:
    """Deviation along the second of the crop's axes, to the back, by that along the first."""
    at = identity(labels.shape, torch.zeros(1))[0].flatten(1)[:, (labels % 3).flatten() > 0]
    left, back = at.std(1).tolist()
    return back / left


def test_a_round_person_becomes_long_from_front_to_back_like_another(people, maker):
    own = maker()
    assert [s.done for s in own.fill()] == list(range(len(own._plan.pairs) + 1))
    stack = read_stack(people["t_ed"], "t_ed", CROP, (1, 2, 3))
    inner = stack.classes[1, CROP.inner, CROP.inner]
    assert stretch(inner) == pytest.approx(1, abs=0.05)
    pairs, others = own._plan.pairs, own._bank
    fields = list(own.fields("t_ed", 1))
    case = module.load_case(own._entries[0], own._spec, (1, 2, 3))
    order = np.random.default_rng(case.code).permutation(others._others(case))
    seeds = np.random.default_rng((1, case.code)).permutation(len(order))[:TIMES]
    ratio = {"r": 1.0, "l": 19 / 11.8, "m": 18.4 / 11.4}
    assert len({f.numpy().tobytes() for f in fields}) == TIMES
    shares = torch.nn.functional.one_hot(inner.long(), 4).movedim(-1, 0)[None].float()
    for seed, field in zip(seeds, fields, strict=True):
        pair = pairs[order[seed]]
        assert "t" not in pair.subjects and field.shape == (1, 2, 16, 16)
        assert certify(field / 4)[0].certified
        at = identity((32, 32), field)
        moved = at + sample(field, (at - 0.5) / 2) / CROP.spacing
        changed = sample(shares, moved)[0].argmax(0)
        wanted = ratio[pair.fixed[0]] / ratio[pair.moving[0]]
        assert stretch(changed) / stretch(inner) == pytest.approx(wanted, rel=0.15), pair
    again = list(maker().fields("t_ed", 1))
    assert all(torch.equal(a, b) for a, b in zip(fields, again, strict=True))
    assert not torch.equal(torch.cat(fields), torch.cat(list(own.fields("t_ed", 2))))


def test_a_bank_has_enough_pairs_for_every_case_and_its_own_folder_for_other_cases(people, maker):
    own = maker()
    for name, entry in people.items():
        pairs = own._plan.pairs
        fit = [p for p in pairs if entry.subject not in p.subjects]
        assert len(set(fit)) >= TIMES, name
    few = {name: people[name] for name in ("t_ed", "r_ed", "l_ed")}
    assert maker(few)._plan.folder != own._plan.folder
    assert len(maker(few)._plan.pairs) == 6  # all there are
    list(maker(few).fill())
    fields = list(maker(few).fields("t_ed", 1))
    assert len({f.numpy().tobytes() for f in fields}) == TIMES


def test_two_processes_fill_a_bank_with_the_bytes_of_one(maker, tmp_path):
    whole, own = maker(), maker(folder=tmp_path)
    list(whole.fill())
    count, other = len(own._plan.pairs), own.fill((2, 2))
    assert next(other).done == 0 and next(other).done == 1
    assert own._plan.missing() == [i for i in range(count) if i != count // 2]
    assert [s.done for s in own.fill((1, 2))] == list(range(1, count + 1))
    assert [s.done for s in other][-1] == count
    for file in whole._plan.folder.iterdir():
        assert (own._plan.folder / file.name).read_bytes() == file.read_bytes()


def test_a_field_that_folds_is_shrunk_until_it_does_not():
    field = torch.zeros(1, 2, 16, 16)
    field[:, 0, 8:] = -6.0  # 6 mm towards each other within one point's 4 mm
    left = module._unfolded(field, 4.0)
    assert not certify(field / 4)[0].certified and certify(left / 4)[0].certified
    assert -4 < float(left.min()) < -3.2
    assert torch.equal(module._unfolded(field / 6, 4.0), field / 6)


def test_it_needs_three_subjects_and_simpleitk(people, tmp_path, monkeypatch):
    check_registered(people, tmp_path)
    with pytest.raises(InputError, match="three training subjects"):
        check_registered(dict(list(people.items())[:2]), tmp_path)
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="SimpleITK is not installed"):
        check_registered(people, tmp_path)
    assert importlib.util.find_spec("SimpleITK") is not None


def test_the_task_trains_with_them_and_keeps_them_beside_other_kinds(people, home, capsys):
    rows = ["image,labels,subject,split"]
    person(home, "u_ed", 16, 13)
    for name in (*people, "u_ed"):
        split = "test" if name == "u_ed" else "train"
        rows.append(f"{name}-i.nii.gz,{name}-l.nii.gz,{name[0]},{split}")
    (home / "set.csv").write_text("\n".join(rows) + "\n")
    data, fields = str(home / "set.csv"), home / "fields"
    call = [
        *("task", "segmentation", data, data, "--model", str(home / "tiny.safetensors")),
        *("--fields", str(fields), "--subjects", "1", "--times", "2", "--steps", "4"),
        *("--batch", "2", "--size", "32", "--device", "cpu", "--out", str(home / "out")),
    ]
    assert run([*call, "--methods", "drdm"]) == 0
    drdm = next(fields.glob("*-drdm.safetensors"))
    before = drdm.stat().st_mtime_ns
    assert run([*call, "--methods", "drdm,registered", "--resume", "--json"]) == 0
    assert drdm.stat().st_mtime_ns == before
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {m["method"] for m in report["means"]} == {"drdm", "registered"}
    made = next(fields.glob("*-registered.safetensors"))
    facts = []
    for path in (drdm, made):
        with safe_open(path, framework="pt") as file:
            facts.append(json.loads(file.metadata()["facts"]))
    between = facts[1].pop("between")
    assert facts[0] == facts[1]
    assert len(list(fields.glob(f"registered-{between[:12]}/field-*"))) == 8
