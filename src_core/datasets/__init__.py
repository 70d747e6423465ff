"""Data sets of any layout, as a list of entries."""
