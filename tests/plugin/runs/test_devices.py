"""Devices: what is offered, the CPU where memory runs out, and models loaded once."""

from __future__ import annotations

import os
import weakref

import numpy as np
import pytest
import torch

from napari_drdm.runs.devices import (
    FellBack,
    ModelCache,
    devices,
    falling_back,
    is_out_of_memory,
    resolved,
)
from src_core.errors import InputError

OOM = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def drain(run) -> tuple[list[object], object]:
    """What a generator yields, and what it returns."""
    values = []
    while True:
        try:
            values.append(next(run))
        except StopIteration as end:
            return values, end.value


@pytest.mark.parametrize(
    "error",
    [
        OOM,
        torch.cuda.OutOfMemoryError("none left"),
        MemoryError(),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: not enough memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    ],
)
def test_running_out_of_memory_is_known(error):
    assert is_out_of_memory(error)


def test_numpy_running_out_of_memory_is_known():
    with pytest.raises(MemoryError) as caught:
        np.empty((1 << 46,), np.float64)
    assert is_out_of_memory(caught.value)


@pytest.mark.parametrize(
    "error", [RuntimeError("shapes do not match"), ValueError("out of memory"), KeyError("x")]
)
def test_other_errors_are_not(error):
    assert not is_out_of_memory(error)


def test_a_run_continues_on_the_cpu_where_memory_runs_out():
    began, forgotten = [], []

    def run(device):
        began.append((device, list(forgotten)))
        yield 1
        if device != "cpu":
            raise OOM
        yield 2
        return device

    values, returned = drain(falling_back(run, "cuda:0", forgotten.append))
    assert returned == "cpu" and began == [("cuda:0", []), ("cpu", ["cuda:0"])]
    reported = values.pop(1)
    assert values == [1, 1, 2] and isinstance(reported, FellBack)
    assert reported.message.startswith("cuda:0 ran out of memory, this run is on the CPU")
    assert "\n" not in reported.message and "smaller image" in reported.message


def test_the_tensors_of_the_failed_run_are_let_go():
    held = []

    def run(device):
        if device != "cpu":
            big = np.zeros(3)
            held.append(weakref.ref(big))
            raise MemoryError
        assert held[0]() is None
        yield device

    values, _ = drain(falling_back(run, "mps"))
    assert values[-1] == "cpu" and values[0].message.startswith("The GPU ran out")


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_where_the_cpu_does_not_suffice_one_line_says_so(device):
    def run(device):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        yield

    with pytest.raises(InputError, match=r"out of memory, CPU, take a smaller image") as caught:
        drain(falling_back(run, device))
    assert caught.value.__cause__ is None


def test_other_failures_and_cancelling_pass_through():
    ended = []

    def run(device):
        try:
            yield 1
            raise ValueError("no image")
        finally:
            ended.append(device)

    with pytest.raises(ValueError, match="no image"):
        drain(falling_back(run, "cuda"))
    cancelled = falling_back(run, "cuda")
    next(cancelled)
    cancelled.close()
    assert ended == ["cuda", "cuda"]


def test_devices_are_named_in_words(monkeypatch):
    class Card:
        name, total_memory = "NVIDIA H100 80GB", 85e9

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: Card)
    found = {d.name: d.words for d in devices()}
    assert list(found) == ["auto", "cpu", "cuda:0", "cuda:1"]
    assert found["cuda:1"] == "NVIDIA H100 80GB, 85 GB"
    assert found["auto"] == "auto (NVIDIA H100 80GB, 85 GB)"


def test_without_an_accelerator_there_is_the_cpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert [(d.name, d.words) for d in devices()] == [("auto", "auto (CPU)"), ("cpu", "CPU")]
    assert resolved("auto") == "cpu"


def test_a_model_is_loaded_once_for_each_file_time_and_device(tmp_path):
    loads = []
    path = tmp_path / "a.safetensors"
    path.write_bytes(b"1")
    cache = ModelCache(lambda path, device: loads.append((path.name, device)) or object())
    first = cache.get(path, "cpu")
    assert cache.get(path, "cpu") is first and cache.get(path, "cuda:0") is not first
    assert loads == [("a.safetensors", "cpu"), ("a.safetensors", "cuda:0")]
    os.utime(path, ns=(1, 1))
    assert cache.get(path, "cpu") is not first and len(cache) == 1
    cache.forget("cpu")
    assert len(cache) == 0


def test_the_cache_keeps_a_few_models_and_the_last_used(tmp_path):
    paths = [tmp_path / name for name in "abc"]
    for path in paths:
        path.touch()
    loads = []
    cache = ModelCache(lambda path, device: loads.append(path.name) or path.name, most=2)
    for index in (0, 1, 0, 2, 0, 1):
        assert cache.get(paths[index], "cpu") == "abc"[index] and len(cache) <= 2
    assert loads == ["a", "b", "c", "b"]


def test_a_model_that_is_gone_and_one_that_does_not_load(tmp_path):
    with pytest.raises(InputError, match="the model's file is gone"):
        ModelCache().get(tmp_path / "no.safetensors", "cpu")
    (tmp_path / "bad.safetensors").write_bytes(b"no model")
    cache = ModelCache()
    with pytest.raises(InputError, match="not a model"):
        cache.get(tmp_path / "bad.safetensors", "cpu")
    assert len(cache) == 0
