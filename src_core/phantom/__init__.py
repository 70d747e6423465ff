"""A procedural short-axis cine of a beating heart, with labels and known volumes.

Made of formulas and seeded noise alone, so it may be shipped, shown and tested against.
"""

from __future__ import annotations

from src_core.phantom.cine import Phantom, cardiac_phantom, phantom_case

__all__ = ["Phantom", "cardiac_phantom", "phantom_case"]
