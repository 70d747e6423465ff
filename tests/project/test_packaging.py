"""What is built is what users get: the contents of wheel and sdist, and a wheel put to use."""

from __future__ import annotations

import email
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.support.paths import ROOT

HOMES = {"src_core": "src_core", "napari_drdm": "napari_drdm", "resources": "napari_drdm_resources"}
UNSHIPPED_RESOURCES = {"annotations", "restricted"}
NEVER_SHIPPED = ["tests", "demo", "runs", ".data", "shared", "benchmarks"]
NEVER_SHIPPED += [f"resources/{name}" for name in sorted(UNSHIPPED_RESOURCES)]
PLANTED = "planted-by-a-test"


def files_that_ship(tree: Path) -> set[str]:
    """What the wheel must hold besides its metadata, as paths in the wheel."""
    found = {"napari_drdm_manifest/napari.yaml"}
    for home, package in HOMES.items():
        inside = [path.relative_to(tree / home) for path in (tree / home).rglob("*.*")]
        found |= {
            f"{package}/{path.as_posix()}"
            for path in inside
            if (tree / home / path).is_file()
            and not (UNSHIPPED_RESOURCES | {"__pycache__"}) & {*path.parts}
        }
    return found


@pytest.fixture(scope="session")
def tree(tmp_path_factory):
    """A copy of what is built from, with files planted where they must and must not ship."""
    copy = tmp_path_factory.mktemp("packaging") / "tree"
    clutter = shutil.ignore_patterns("__pycache__", *UNSHIPPED_RESOURCES)
    for home in HOMES:
        shutil.copytree(ROOT / home, copy / home, ignore=clutter)
    for path in ROOT.glob("[!.]*.*"):
        if path.is_file():
            shutil.copy(path, copy)
    shutil.copy(ROOT / "LICENSE", copy)
    for folder in [*NEVER_SHIPPED, "resources/__pycache__", "resources/deep/down", "."]:
        (copy / folder).mkdir(parents=True, exist_ok=True)
        for ending in ("json", "safetensors", "nii.gz"):
            (copy / folder / f"{PLANTED}.{ending}").touch()
    for folder in ("tests", "src_core/deep/down", "napari_drdm/deep/down"):
        (copy / folder).mkdir(parents=True, exist_ok=True)
        (copy / folder / f"test_{PLANTED}.py").touch()
    return copy


def build(tree: Path, out: Path, *options: str) -> Path:
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", out, *options, tree]
    ran = subprocess.run(command, capture_output=True, encoding="utf-8")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return out


@pytest.fixture(scope="session")
def built(tree, tmp_path_factory):
    """A folder with the sdist and the wheel that was made from it."""
    return build(tree, tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="session")
def wheel(built):
    (path,) = built.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


@pytest.fixture(scope="session")
def metadata(wheel):
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return email.message_from_bytes(wheel.read(name))


@pytest.fixture(scope="session")
def installed(built, tmp_path_factory):
    """A folder that holds only the wheel, installed by pip."""
    folder = tmp_path_factory.mktemp("installed")
    options = ["--no-deps", "--no-index", "--no-compile", "--quiet", "--target", str(folder)]
    command = [sys.executable, "-m", "pip", "install", *options, str(next(built.glob("*.whl")))]
    subprocess.run(command, check=True)
    return folder


@pytest.fixture
def run_installed(installed, tmp_path):
    """Runs code in a fresh interpreter that finds the installed wheel first."""

    def run(code: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(installed)}
        command = [sys.executable, "-c", code]
        ran = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8"
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    return run


def test_every_package_has_an_init():
    folders = {path.parent for home in HOMES for path in (ROOT / home).rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


@pytest.mark.slow
def test_the_wheel_holds_exactly_what_ships(tree, wheel):
    expected = files_that_ship(tree)
    assert f"src_core/deep/down/test_{PLANTED}.py" in expected
    assert f"napari_drdm_resources/deep/down/{PLANTED}.safetensors" in expected
    assert {name for name in wheel.namelist() if ".dist-info/" not in name} == expected


@pytest.mark.proof
def test_the_checkout_gives_the_same_wheel_as_the_sdist(tree, wheel, tmp_path):
    direct = next(build(tree, tmp_path, "--wheel").glob("*.whl"))
    with zipfile.ZipFile(direct) as archive:
        assert sorted(archive.namelist()) == sorted(wheel.namelist())


@pytest.mark.slow
def test_the_sdist_leaves_out_what_must_not_ship(built):
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "CHANGELOG.md", "napari.yaml", "resources/__init__.py"} <= names
    forbidden = tuple(f"{folder}/" for folder in NEVER_SHIPPED)
    assert [name for name in names if name.startswith(forbidden) or "__pycache__" in name] == []


@pytest.mark.slow
def test_the_metadata_says_what_it_is(wheel, metadata):
    assert metadata["Name"] == "napari-drdm"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    assert "Framework :: napari" in metadata.get_all("Classifier")
    (licence,) = (name for name in wheel.namelist() if name.endswith("licenses/LICENSE"))
    assert b"Apache License" in wheel.read(licence)


@pytest.mark.slow
def test_no_qt_binding_is_required(metadata):
    base = [need for need in metadata.get_all("Requires-Dist") if "extra ==" not in need]
    assert any(need.startswith("torch") for need in base)
    bindings = ("pyqt", "pyside", "napari[", "napari-drdm")
    assert [need for need in base if need.lower().startswith(bindings)] == []


@pytest.mark.slow
def test_the_installed_wheel_carries_the_plugin(run_installed, installed):
    code = """
from importlib.resources import files
from npe2 import PluginManifest
import src_core
print(src_core.__file__)
print(PluginManifest.from_distribution("napari-drdm").display_name)
print(files("napari_drdm_resources").joinpath("__init__.py").is_file())
"""
    where, name, has_resources = run_installed(code).splitlines()
    assert Path(where).is_relative_to(installed)
    assert name == "DRDM"
    assert has_resources == "True"


@pytest.mark.slow
def test_the_installed_command_answers(run_installed):
    code = """
import sys
from importlib.metadata import entry_points
(command,) = entry_points(group="console_scripts", name="drdm")
sys.argv = ["drdm", "--help"]
sys.exit(command.load()())
"""
    assert "generate" in run_installed(code)
