"""Recovery networks, each with its frozen config and what its output means."""
