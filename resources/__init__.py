"""What ships beside the code: models with their cards, and icons.

Installed as ``napari_drdm_resources``; read it with ``importlib.resources``.
"""
