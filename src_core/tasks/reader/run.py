"""A reader test is prepared: its pictures, its plan and its key; each picture is a trial."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator, Sequence
from math import nan
from pathlib import Path
from typing import Any

from src_core.datasets.reading import Entry, read_dataset
from src_core.datasets.run_folder import INDEX, is_run
from src_core.errors import InputError, OptionName, Phrase
from src_core.experiments.journal import Journal
from src_core.experiments.options import check_level
from src_core.experiments.records import Key, Record, StageProgress, Trial, TrialKey
from src_core.io.folder import make_folder
from src_core.models.library import load_model
from src_core.tasks.data import run_digest
from src_core.tasks.reader.key import write_key
from src_core.tasks.reader.making import PictureMaker
from src_core.tasks.reader.options import REAL, PictureKind, ReaderRequest
from src_core.tasks.reader.pictures import PictureCrop, write_picture
from src_core.tasks.reader.plan import (
    ANSWERS,
    KEY,
    PICTURES,
    PLAN,
    ReadingPlan,
    write_plan,
)
from src_core.tasks.reader.report import write_report
from src_core.tasks.reader.sources import PictureSource, plan_sources

__all__ = ["PreparedReaderTest"]

#: Options that decide the pictures and questions.
_DECIDING = ("mode", "questions", "kinds", "level", "slice", "part", "size", "sharp", "seed")
_OVERWRITE = OptionName("overwrite", True)


class PreparedReaderTest:
    """A checked request; a trial is a picture.

    Raises:
        InputError: the model, a data set, an option or the folder is wrong.
    """

    def __init__(self, request: ReaderRequest) -> None:
        self.request, self.report = request, dict[str, Any]()
        model = load_model(request.model, request.device)
        check_level("level", request.level, model.spec.schedule.levels)
        planned = plan_sources(request, _pools(request), _means(request))
        self._sources = {s.name: s for _, sources in planned for s in sources}
        entries = list(dict.fromkeys(s.entry for s in self._sources.values()))
        facts = {name: getattr(request, name) for name in _DECIDING}
        kinds = {s.name: (s.kind, s.made, s.mean_mm) for s in self._sources.values()}
        digest = run_digest({**facts, "pictures": kinds}, model, entries)
        self.plan = ReadingPlan(
            digest[:8], request.mode, request.seed, tuple(q for q, _ in planned)
        )
        _check_folder(request)
        self.journal = Journal(
            request.out / KEY,
            digest,
            {**facts, "model": model.spec.name, "sha256": model.sha256},
            resume=request.resume,
            overwrite=request.overwrite,
        )
        crop = PictureCrop(request.part, request.size)
        self._maker = PictureMaker(model, request.level, request.slice, crop, request.sharp)

    def trials(self) -> list[TrialKey]:
        """Names of all pictures, in an order that follows no kind."""
        return [(name,) for name in self._sources]

    def unit(self, key: TrialKey) -> TrialKey:
        """Every picture by itself."""
        return key

    def load(self, missing: Sequence[TrialKey]) -> Iterator[StageProgress]:
        """Make the folder of the pictures; those of a run that was discarded go."""
        pictures = self.request.out / PICTURES
        if len(missing) == len(self._sources):
            (self.request.out / PLAN).unlink(missing_ok=True)
            shutil.rmtree(pictures, ignore_errors=True)
        make_folder(pictures)
        yield from ()

    def measure(self, key: TrialKey) -> Iterator[StageProgress | Trial]:
        """Make and write one picture."""
        (name,) = key
        source = self._sources[name]
        made = self._maker.make(source)
        write_picture(self.request.out / PICTURES / f"{name}.png", made.pixels)
        done, total = len(self.journal.trials) + 1, len(self._sources)
        yield StageProgress("pictures", done, total)
        yield Trial({"picture": name}, (self._record(source, made.figures),))

    def write(self, records: Sequence[Record]) -> None:
        """Write the plan, the key and the tables, once all pictures are there."""
        if len(records) == len(self._sources):
            write_key(self.request.out, records)
            write_plan(self.request.out, self.plan)
            self.report = write_report(self.request, records)

    def _record(self, source: PictureSource, figures: dict[str, float]) -> Record:
        deformed = source.made and source.kind != REAL
        level = self.request.level if deformed and source.mean_mm is None else ""
        keys: dict[str, Key] = {
            "picture": source.name, "kind": source.kind, "level": level,
            "seed": source.seed if source.made else "",
        }  # fmt: skip
        return Record(source.entry.name, source.entry.subject, keys, figures)


def _pools(request: ReaderRequest) -> dict[PictureKind, list[Entry]]:
    """Cases of real images, and of kinds that exist already."""
    given: dict[PictureKind, Path | None] = {
        "generated": request.generated, "elastic": request.elastic,
    }  # fmt: skip
    pools: dict[PictureKind, list[Entry]] = {REAL: read_dataset(request.real)}
    for kind, path in given.items():
        if path is not None and kind in request.kinds:
            pools[kind] = read_dataset(path)
    return pools


def _means(request: ReaderRequest) -> dict[str, float]:
    """Mean displacement in mm of generated images that exist, by name.

    Raises:
        InputError: it is unknown, and elastic deformations are to move as much.
    """
    folder = request.generated
    needed = "elastic" in request.kinds and request.elastic is None
    if folder is None or "generated" not in request.kinds or not needed:
        return {}
    rows = csv.DictReader(io.StringIO(""))
    if is_run(folder):
        rows = csv.DictReader(io.StringIO((folder / INDEX).read_text(encoding="utf-8")))
    found = {r.get("name", ""): float(r.get("mean_mm") or nan) for r in rows}
    if not found or any(mean != mean for mean in found.values()):
        raise InputError(
            "the displacement of the generated images is unknown, so that no elastic one is equal",
            where=str(folder),
            expected="the folder of an augmentation",
            do=Phrase("give elastic images, or choose ", OptionName("kinds", "generated")),
        )
    return found


def _check_folder(request: ReaderRequest) -> None:
    """Refuse a folder that holds something else, or answers that would be lost.

    Raises:
        InputError: it does.
    """
    out = request.out
    if not out.is_dir() or not any(out.iterdir()):
        return
    known = (out / KEY / "run.json").is_file()
    if request.overwrite and any((out / ANSWERS).glob("*.csv")):
        raise InputError(
            "there are answers in the folder, which would fit no longer",
            where=str(out / ANSWERS),
            do="move them away, or choose another folder",
        )
    if not (known and (request.resume or request.overwrite)):
        raise InputError(
            "the folder is not empty",
            where=str(out),
            expected="an absent or empty folder, or a test to continue",
            do=Phrase(
                "choose another, continue with ", OptionName("resume", True),
                ", or begin again with ", _OVERWRITE,
            ),
        )  # fmt: skip
