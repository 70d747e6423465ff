"""Deformation-recovery diffusion models: the engine, which knows no viewer."""
