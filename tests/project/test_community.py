"""What contributors and hosting platforms read: workflows, forms, links, targets, versions."""

from __future__ import annotations

import re
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

ROOT = Path(__file__).resolve().parents[2]
GITHUB = ROOT / ".github"
PAGES = ["CONTRIBUTING.md", "SECURITY.md", ".napari-hub/DESCRIPTION.md", "docs/index.md"]
FORMS = {path for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config"}
SCHEMAS = {
    "github-workflows": {*(GITHUB / "workflows").glob("*.yml")},
    "github-actions": {*(GITHUB / "actions").glob("*/action.yml")},
    "github-issue-forms": FORMS,
    "github-issue-config": {GITHUB / "ISSUE_TEMPLATE" / "config.yml"},
    "dependabot": {GITHUB / "dependabot.yml"},
    "citation-file-format": {ROOT / "CITATION.cff"},
}
BROKEN = {
    "github-workflows": "on: push\njobs:\n  lint:\n    steps: [{run: make lint}]\n",
    "github-actions": "name: A\nruns: {using: composite}\n",
    "github-issue-forms": "name: Bug\ndescription: A bug\nbody: [{type: box}]\n",
    "github-issue-config": "blank_issues_enabled: perhaps\n",
    "dependabot": "version: 2\nupdates: [{directory: /}]\n",
    "citation-file-format": "cff-version: 1.2.0\ntitle: napari-drdm\n",
}
FACES = ["src_core", "src_core.io", "src_core.augment", "src_core.transforms"]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def follows(schema: str, files: set[Path]) -> bool:
    """Whether files fulfil a schema that comes with check-jsonschema."""
    check = pytest.importorskip("check_jsonschema")
    names = map(str, sorted(files))
    call = ["--builtin-schema", f"vendor.{schema}", "--default-filetype", "yaml", *names]
    ran = CliRunner().invoke(check.main, call)
    assert "ok -- validation done" in ran.output or "Schema validation errors" in ran.output
    return ran.exit_code == 0


def absent_links(page: str, markdown: str) -> list[str]:
    """Relative links of a page that lead nowhere."""
    targets = re.findall(r"\]\(([^)\s#]+)", markdown)
    local = [target for target in targets if "://" not in target]
    return [target for target in local if not (ROOT / page).parent.joinpath(target).exists()]


def named_targets(words: str) -> set[str]:
    """Targets of make in inline code, in indented code and in the steps of workflows."""
    found = re.findall(r"(?:`|^ {4}|run: )make ((?:[A-Z]+=\S+ )*)([a-z]+)", words, re.MULTILINE)
    return {target for _, target in found}


def known_targets(makefile: str) -> set[str]:
    return set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))


def undocumented(page: str) -> dict[str, list[str]]:
    """Public names of each face that the page on the API does not show."""
    shown = set(re.findall(r"^::: (\S+)$", page, re.MULTILINE))
    absent: dict[str, list[str]] = {}
    for face in FACES:
        elsewhere = set(import_module("src_core").__all__) if face != "src_core" else set()
        names = set(import_module(face).__all__) - elsewhere
        absent[face] = sorted(name for name in names if f"{face}.{name}" not in shown)
    return {face: names for face, names in absent.items() if names}


@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_platform_understands_our_files(schema: str) -> None:
    assert SCHEMAS[schema]
    assert follows(schema, SCHEMAS[schema])


@pytest.mark.parametrize("schema", BROKEN)
def test_a_broken_file_is_noticed(schema: str, tmp_path: Path) -> None:
    (tmp_path / "broken.yml").write_text(BROKEN[schema], encoding="utf-8")
    assert not follows(schema, {tmp_path / "broken.yml"})


@pytest.mark.parametrize("path", sorted(SCHEMAS["github-workflows"]), ids=lambda p: p.stem)
def test_workflows_may_only_read_and_end(path: Path) -> None:
    workflow = loaded(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert "concurrency" in workflow
    assert all(0 < job["timeout-minutes"] <= 360 for job in workflow["jobs"].values())


def test_actions_are_official_and_have_a_version() -> None:
    files = SCHEMAS["github-workflows"] | SCHEMAS["github-actions"]
    used = re.findall(r"uses: (\S+)", "\n".join(p.read_text(encoding="utf-8") for p in files))
    theirs = {name for name in used if not name.startswith("./")}
    assert theirs
    assert [name for name in theirs if not re.fullmatch(r"actions/[a-z-]+@v\d+", name)] == []
    ours = {name for name in used if name.startswith("./")}
    assert [name for name in ours if not (ROOT / name / "action.yml").is_file()] == []


def test_make_knows_every_target_that_is_named() -> None:
    words = [text("CONTRIBUTING.md"), text(".github/PULL_REQUEST_TEMPLATE.md")]
    words += [path.read_text(encoding="utf-8") for path in SCHEMAS["github-workflows"]]
    named = set().union(*map(named_targets, words))
    assert {"setup", "lint", "docs", "quick", "proofs"} <= named
    assert named - known_targets(text("Makefile")) == set()


def test_an_unknown_target_is_noticed() -> None:
    words = "`make one`, make sure\n    make PYTHON=python3 two  # text\n- run: make three"
    assert named_targets(words) == {"one", "two", "three"}
    assert known_targets("one: two\nVAR := x\nbuild/x: y\n\techo\n") == {"one"}


def test_the_citation_has_the_version_of_the_package() -> None:
    citation, project = yaml.safe_load(text("CITATION.cff")), tomllib.loads(text("pyproject.toml"))
    for key in ("version", "license"):
        assert citation[key] == project["project"][key]
    assert citation["title"] == project["project"]["name"]
    assert citation["preferred-citation"]["doi"] in text("README.md")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    assert absent_links(page, text(page)) == []


def test_a_broken_link_is_noticed() -> None:
    words = "[a](nowhere.md#x) [b](SECURITY.md#y) [c](https://napari.org) [d](#here)"
    assert absent_links("CONTRIBUTING.md", words) == ["nowhere.md"]
    assert absent_links("docs/index.md", "[a](../SECURITY.md) [b](SECURITY.md)") == ["SECURITY.md"]


def test_the_site_leads_to_every_page() -> None:
    shown = set(re.findall(r"[\w-]+\.md", str(loaded(ROOT / "mkdocs.yml")["nav"])))
    assert {path.name for path in (ROOT / "docs").glob("*.md")} <= shown


def test_the_page_on_the_api_shows_every_public_name() -> None:
    page = text("docs/api.md")
    assert undocumented(page) == {}
    assert undocumented(page.replace("::: src_core.generate\n", "")) == {"src_core": ["generate"]}
