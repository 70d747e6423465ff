"""Random fields, their growth with the level, and the guard that keeps them from folding."""
