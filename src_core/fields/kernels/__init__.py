"""Loops over voxels, compiled: private to ``src_core.fields``."""

from __future__ import annotations
