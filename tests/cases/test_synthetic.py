"""The notice in a header: whole, first, once, and within the 80 bytes that there are."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from src_core.cases.case import Case
from src_core.cases.synthetic import (
    describe_header,
    description_of,
    mark_synthetic,
    synthetic_note,
)


@pytest.mark.parametrize("earlier", ["", "FSL5.0", "TE=1.5;Time=101530.2", "ü" * 40, "x" * 80])
def test_what_stood_there_follows_as_far_as_it_has_room(earlier: str) -> None:
    header = nib.Nifti1Header()
    header["descrip"] = earlier.encode()[:80]
    describe_header(header, synthetic_note())
    text = description_of(header)
    assert text.startswith(synthetic_note()) and len(text.encode()) < 80
    assert earlier.startswith(text[len(synthetic_note()) + 2 :].strip())
    assert not earlier or text.endswith(earlier[:5]) or earlier[:20] in text
    assert len(bytes(header["descrip"].tobytes()).rstrip(b"\0")) < 80, "C programs need the last 0"


def test_a_new_case_of_a_new_case_has_it_once() -> None:
    case = Case.from_arrays(np.arange(120.0).reshape(4, 5, 6), np.zeros((4, 5, 6), np.uint8))
    case.images[0].header["descrip"] = b"scanner 7"
    twice = mark_synthetic(mark_synthetic(case))
    assert description_of(twice.images[0].header) == f"{synthetic_note()}; scanner 7"
    assert description_of(twice.labels[0].header) == synthetic_note()
    assert description_of(case.images[0].header) == "scanner 7", "the source stays as it is"


def test_no_words_change_nothing() -> None:
    header = nib.Nifti1Header()
    header["descrip"] = b"as it came"
    describe_header(header, "")
    assert description_of(header) == "as it came"
