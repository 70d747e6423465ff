"""``drdm task registration --report-only``: tables of a saved run, without its data and model."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from src_core.cli import run as drdm
from tests.support.files import rows_of

ROOT = Path(__file__).parents[3]
NAMES = {
    "real pairs only": "none+real",
    "mrbs, fine-tuned on real pairs": "mrbs+real",
    "drdm, fine-tuned on real pairs": "drdm+real",
    "drdm - none": "drdm less none",
    "drdm - mrbs": "drdm less mrbs",
    "drdm, fine-tuned - real pairs only": "drdm+real less none+real",
    "drdm, fine-tuned - mrbs, fine-tuned": "drdm+real less mrbs+real",
    "mrbs, synthetic pairs": "mrbs",
    "drdm, synthetic pairs": "drdm",
    "mrbs, fine-tuned": "mrbs+real",
    "drdm, fine-tuned": "drdm+real",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The run of the published figures."""
    return Path(shutil.copytree(ROOT / "benchmarks" / "records" / "table3", tmp_path / "run"))


def report(folder: Path, *more: str) -> int:
    absent = ("absent.csv", "absent.csv", "--model", "absent")
    return drdm(["task", "registration", *absent, "--out", str(folder), "--report-only", *more])


def numbers(line: str) -> list[str]:
    return re.findall(r"[-+]?\d+\.\d+", line)


def tables_of(text: str) -> list[dict[str, list[str]]]:
    """The rows of each table in Markdown, by the method or difference they are named by."""
    tables = []
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines() if line.startswith("| ")][2:]
        cells = [[c.strip() for c in line.strip("|").split("|")] for line in lines]
        tables.append({next(c for c in row if not c.isdigit()): row[1:] for row in cells})
    return [table for table in tables if table]


@pytest.mark.parametrize("name", ["table3", "table3-3d"])
def test_the_published_figures_are_printed_from_their_records(name, tmp_path, capsys):
    folder = Path(shutil.copytree(ROOT / "benchmarks" / "records" / name, tmp_path / "run"))
    assert report(folder) == 0
    printed = tables_of(capsys.readouterr().out)
    page = (ROOT / "docs" / "figures.md").read_text(encoding="utf-8")
    section = page.partition("## Registration from synthetic pairs")[2].partition("\n## ")[0]
    published = tables_of(section.split("### In 3D")[name == "table3-3d"])
    assert [len(table) for table in published] == [6, 4, 5]
    for rows, made in zip(published, printed, strict=True):
        for name, cells in rows.items():
            left = numbers(" ".join(made[NAMES.get(name, name)]))
            for value in numbers(" ".join(cells)):
                assert value in left, (name, value)
                left = left[left.index(value) + 1 :]
    assert {r["method"] for r in rows_of(folder / "curves.csv")} == {
        "mrbs", "drdm", "none+real", "mrbs+real", "drdm+real"
    }  # fmt: skip
    assert (folder / "results.png").stat().st_size > 10_000


def test_the_head_of_an_earlier_report_stays(folder):
    assert report(folder, "--methods", "none,mrbs") == 0
    first = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert first["labels"] == [1, 2, 3] and first["times"] == 12 and first["repeats"] == 1
    assert len(first["test_cases"]) == 40
    (folder / "results.json").write_text(json.dumps({**first, "model": "sax", "means": []}))
    assert report(folder, "--methods", "none") == 0
    again = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert again["model"] == "sax" and again["methods"] == ["none"]
    assert again["means"] == [m for m in first["means"] if m["method"] == "none"]


def test_a_network_tuned_further_is_reported_as_it_was_last(folder):
    path = folder / "records.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    longer = next(line for line in lines if line["method"] == "drdm+real")
    longer["steps"] = 9000
    for record in longer["records"]:
        record["steps"], record["figures"]["dsc 1"] = 9000, 0.5
    path.write_text("".join(json.dumps(line) + "\n" for line in (longer, *lines)))
    assert report(folder, "--methods", "drdm+real") == 0
    means = json.loads((folder / "results.json").read_text(encoding="utf-8"))["means"]
    assert [m["mean"] for m in means if (m["method"], m["measure"]) == ("drdm+real", "dsc 1")] == [
        0.5
    ]


def test_without_a_run_or_a_finished_training_there_is_nothing_to_report(folder, capsys, tmp_path):
    assert report(tmp_path / "absent") == 2
    assert "there is no run to report" in capsys.readouterr().err
    assert report(folder, "--methods", "drdm+mixed") == 2
    assert "no training of these methods is finished" in capsys.readouterr().err
    assert not (tmp_path / "absent").exists() and not (folder / "table.md").exists()
