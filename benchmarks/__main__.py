"""``python -m benchmarks``: those that need no data: speed, comparisons, and many samples."""

from __future__ import annotations

from benchmarks import augmenting, peers, speed, transforms

speed.main([])
peers.main([])
transforms.main([])
augmenting.main([])
