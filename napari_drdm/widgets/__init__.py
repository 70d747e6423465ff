"""Leaf widgets: they know no viewer."""
