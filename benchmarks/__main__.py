"""``python -m benchmarks``: what needs no data: speed, and speed beside others."""

from __future__ import annotations

from benchmarks import peers, speed, transforms

speed.main([])
peers.main([])
transforms.main([])
