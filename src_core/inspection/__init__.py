"""Looking into a run: its trajectory, a part of it, films, galleries and reports."""
