"""Registration networks trained on synthetic pairs (paper, section 5 and Table 3)."""

from __future__ import annotations

from src_core.tasks.registration.request import METHODS, Job, Request, prepare
from src_core.tasks.registration.run import run

__all__ = ["METHODS", "Job", "Request", "prepare", "run"]
