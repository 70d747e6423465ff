"""Displacement fields between real subjects, as a row of an evaluation."""
