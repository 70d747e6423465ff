"""Few labels (paper, Table 2): one U-Net, one number of steps, several ways to augment."""

from __future__ import annotations

from src_core.tasks.segmentation.methods import METHODS
from src_core.tasks.segmentation.request import Job, Request, prepare
from src_core.tasks.segmentation.run import run

__all__ = ["METHODS", "Job", "Request", "prepare", "run"]
