"""The deformation explorer."""
