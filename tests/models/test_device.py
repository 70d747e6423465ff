"""Devices and threads."""

from __future__ import annotations

import pytest
import torch

from src_core.errors import InputError
from src_core.models.device import choose_device, fixed_threads


def test_devices() -> None:
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto").type in ("cpu", "cuda", "mps")
    for name in ("gpu", "cuda:99", "meta", ""):
        with pytest.raises(InputError, match="is unavailable, device"):
            choose_device(name)


def test_fixed_threads_are_put_back_even_on_errors() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with pytest.raises(KeyError), fixed_threads(1):
            assert torch.get_num_threads() == 1
            raise KeyError
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
