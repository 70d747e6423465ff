"""The napari plugin: layers, widgets, readers and writers on top of ``src_core``."""
