"""Between napari's layers, cases and files."""
