"""Cases as files, and what a small model makes of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from src_core.cases.case import Case
from src_core.generation import Result, generate, save_result
from src_core.io import read_case
from src_core.models.checkpoint import save_model
from src_core.models.library import load_model
from src_core.models.model import Model
from tests.support import tiny
from tests.support.small_model import arrays, network, spec
from tests.support.stored_cases import OPTIONS, Made, sources, write, write_scaled


@pytest.fixture(scope="session")
def model() -> Model:
    return tiny.unet()


@pytest.fixture(scope="session")
def made() -> dict[str, Made]:
    """All cases by name, filled as they are asked for."""
    return {}


@pytest.fixture
def one(
    name: str,
    made: dict[str, Made],
    model: Model,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Made:
    """One case, generated once."""
    if name not in made:
        data_dir = request.getfixturevalue("data_dir") if name.startswith("acdc") else None
        source, folder = sources(data_dir)[name], tmp_path_factory.mktemp("case")
        image = folder / "image.nii"
        if source.scaling:
            write_scaled(image, source)
        else:
            write(image, source.image, source)
        labels = write(folder / "labels.nii.gz", source.labels, source)
        case = read_case(image, labels)
        result = generate(case, model, **OPTIONS)
        out = save_result(result, folder / "out")
        made[name] = Made(source, case, result, folder, out)
    return made[name]


@pytest.fixture(scope="session")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("small") / "small.safetensors", spec(), network())


@pytest.fixture(scope="session")
def case() -> Case:
    image, labels = arrays()
    return Case.from_arrays(image, labels, spacing=(1.4, 1.9, 8.0))


@pytest.fixture(scope="session")
def result(case: Case, file: Path) -> Result:
    return generate(case, load_model(file, "cpu"), level=30, seed=2, steps=2)
