"""SHA-256 of every array that a fixed set of runs makes, to hold a change of the code against.

    python tools/fingerprint.py --out before.json            # at one commit
    python tools/fingerprint.py --compare before.json        # at another: exit 1 where bits differ

Each run goes through the command ``drdm`` and its files, so that any layout of the code can be
asked. Bits are those of one machine and one build of torch: compare on the machine that wrote them.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
HIPPOCAMPUS = str(ROOT / "resources" / "restricted" / "hippocampus.safetensors")
RELEASE = Path(os.environ.get("DRDM_RELEASE_WEIGHTS", ROOT.parent / "shared/reference"))

#: What differs between runs of the same bits: times, places, software.
VARYING = {"seconds", "source", "source_labels", "path", "out", "dataset"}
#: Hashes of files that say such things.
VARYING |= {"files", "versions", "created", "file"}
#: Why a row of an evaluation is left out, in words.
VARYING |= {"absent"}
TRAINING = """
name = "small"
seed = 3
size = 64
[schedule]
control = 16
components = [16, 8, 4]
[network]
kind = "velocity-unet"
widths = [8, 12]
embedding = 8
output_stage = 1
[optimisation]
samples = 40
batch = 8
[validation]
cases = 1
levels = [48]
share = 0.0
time = 10.0
"""


def runs() -> dict[str, list[list[str]]]:
    """Name -> command lines, each writing below its own folder."""
    heart = ["heart.nii.gz", "--labels", "heart-seg.nii.gz"]
    generate = ["generate", *heart, "--seed", "5", "--level", "48"]
    table = "slices.csv"
    small = ["--levels", "30:60", "--device", "cpu"]
    weights = next(RELEASE.glob("*.pth"), None) if RELEASE.is_dir() else RELEASE
    imported = ["models", "import", str(weights), "--name", "release-cardiac"]
    return {
        "slice": [["generate", "slice.nii.gz", "--labels", "slice-seg.nii.gz", "--seed", "2"]],
        "stack shared": [generate],
        "stack each": [[*generate, "--slices", "each", "--interpolation", "cubic"]],
        "cine": [["generate", "cine.nii.gz", "--labels", "cine-seg.nii.gz", "--motion", "loop"]],
        "volume": [["generate", *heart, "--model", HIPPOCAMPUS, "--seed", "4"]],
        "region": [[*generate, "--region", "40:168,30:158,0:10"]],
        "folds allowed": [[*generate, "--level", "80", "--allow-folds"]],
        "pairs": [["pairs", table, "--split", "test", "--per-case", "2", *small,
                   "--format", "pairs,nifti"]],
        "augmented set": [["augment", table, "--split", "train", "--per-case", "3", *small]],
        "imported release model": [
            imported, ["generate", "slice.nii.gz", "--model", "release-cardiac", "--steps", "4"]],
        "training": [["train", "slices/images", "--config", "small.toml", "--device", "cpu"]],
        "evaluation": [["evaluate", "cardiac-sax", table, "--levels", "48,70", "--seeds", "2",
                        "--steps", "8,2", "--segmenter-batches", "4", "--device", "cpu"]],
        "segmentation task": [
            ["task", "segmentation", table, table, "--subjects", "1", "--times", "2", "--batch",
             "2", "--size", "64", "--steps", "20", "--levels", "30:70", "--device", "cpu"]],
        "registration task": [
            ["task", "registration", table, table, "--subjects", "1", "--steps", "20", "--batch",
             "2", "--device", "cpu", "--size", "64", "--times", "2", "--tuning", "5"]],
    }  # fmt: skip


def make_inputs(home: Path) -> None:
    """Slices, a stack and a short cine of the phantom, oblique on purpose."""
    import src_core as drdm

    phantom = drdm.cardiac_phantom(3, slices=6, phases=4, shape=(176, 208))
    turn = np.eye(4)
    turn[:3, :3] = [[0.9553, 0, 0.2955], [0, 1, 0], [-0.2955, 0, 0.9553]]
    affine = turn @ phantom.affine
    rows = ["image,labels,subject,split"]

    def save(name: str, part: tuple[Any, ...]) -> None:
        for data, file in (
            (phantom.image, f"{name}.nii.gz"),
            (phantom.labels, f"{name}-seg.nii.gz"),
        ):
            nib.save(nib.Nifti1Image(np.ascontiguousarray(data[part]), affine), home / file)

    save("heart", (..., 0))
    save("slice", (slice(None), slice(None), slice(2, 3), 1))
    save("cine", (slice(None), slice(None), slice(1, 3), slice(None)))
    for folder in ("images", "labels"):
        (home / "slices" / folder).mkdir(parents=True)
    for subject, split in (("a", "train"), ("b", "test")):
        other = drdm.cardiac_phantom(ord(subject), slices=2, phases=2, shape=(120, 136))
        for phase in range(2):
            file = f"{subject}{phase}.nii.gz"
            for kind, data in (("images", other.image), ("labels", other.labels)):
                image = nib.Nifti1Image(np.ascontiguousarray(data[..., phase]), affine)
                nib.save(image, home / "slices" / kind / file)
            rows.append(f"slices/images/{file},slices/labels/{file},{subject},{split}")
    (home / "slices.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (home / "small.toml").write_text(TRAINING, encoding="utf-8")


def hashes(folder: Path) -> Iterator[tuple[str, str]]:
    """File and array -> SHA-256, for every file that holds numbers."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        for part, data in _arrays(path):
            yield f"{name}{part}", hashlib.sha256(data).hexdigest()


def _arrays(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.name.endswith(".nii.gz"):
        yield "", gzip.decompress(path.read_bytes())
    elif path.suffix == ".safetensors":
        from safetensors.numpy import load_file

        for key, value in sorted(load_file(path).items()):
            yield f":{key}", value.tobytes()
    elif path.suffix in (".npz", ".npy"):
        loaded = np.load(path, allow_pickle=False)
        arrays = {"": loaded} if isinstance(loaded, np.ndarray) else dict(loaded)
        for key, value in sorted(arrays.items()):
            yield f":{key}", value.tobytes()
    elif path.suffix in (".json", ".jsonl") and path.name != "recipe.json":
        text = path.read_text("utf-8")
        lines = text.splitlines() if path.suffix == ".jsonl" else [text]
        kept = [_without(json.loads(line)) for line in lines]
        yield "", json.dumps(kept, sort_keys=True).encode()


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get("measure") in VARYING:
            return None
        return {k: _without(v) for k, v in value.items() if k not in VARYING}
    return [_without(v) for v in value] if isinstance(value, list) else value


def fingerprint(home: Path, only: str) -> dict[str, dict[str, str]]:
    """Every run's hashes; the runs go one after the other, in ``home``."""
    from src_core.cli import run

    os.environ["XDG_DATA_HOME"] = str(home / "user")
    os.chdir(home)
    make_inputs(home)
    found = {}
    for name, lines in runs().items():
        if only and only not in name:
            continue
        started, out = time.perf_counter(), home / name.replace(" ", "-")
        for line in lines:
            where = [] if line[:2] == ["models", "import"] else ["--out", str(out)]
            if code := run(["--debug", *line, *where]):
                sys.exit(f"{name}: exit code {code}")
        found[name] = dict(hashes(out))
        count, seconds = len(found[name]), time.perf_counter() - started
        print(f"{name}: {count} arrays, {seconds:.0f} s", file=sys.stderr, flush=True)
    return found


def main() -> int:
    """Write the fingerprint, or compare it."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--out", type=Path, help="write the hashes here")
    options.add_argument("--compare", type=Path, help="hashes of an earlier commit")
    options.add_argument("--keep", type=Path, help="run in this folder and leave it")
    options.add_argument("--only", default="", help="runs with this in their name")
    chosen = options.parse_args()
    out = chosen.out and chosen.out.resolve()
    compare = chosen.compare and json.loads(chosen.compare.read_text("utf-8"))
    with tempfile.TemporaryDirectory() as temporary:
        home = (chosen.keep or Path(temporary)).resolve()
        home.mkdir(parents=True, exist_ok=True)
        found = fingerprint(home, chosen.only)
        os.chdir(ROOT)
    if out:
        out.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    for name, values in found.items():
        whole = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
        same = compare is None or compare.get(name) == values
        print(f"{whole[:16]}  {len(values):4}  {name}" + ("" if same else "  DIFFERS"))
        if not same:
            theirs = compare.get(name, {})
            for key in sorted(set(theirs) | set(values)):
                if theirs.get(key) != values.get(key):
                    print(f"    {key}")
    return int(compare is not None and any(compare.get(n) != v for n, v in found.items()))


if __name__ == "__main__":
    sys.exit(main())
