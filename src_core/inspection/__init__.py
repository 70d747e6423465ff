"""Looking into a run: its trajectory, a part of it, a picture."""
