"""``python -m benchmarks``: what needs no data: speed, speed beside others, and many samples."""

from __future__ import annotations

from benchmarks import augmenting, peers, speed, transforms

speed.main([])
peers.main([])
transforms.main([])
augmenting.main([])
