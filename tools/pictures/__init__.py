"""What ``tools/screenshots.py`` is made of."""
