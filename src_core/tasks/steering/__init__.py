"""How well targets are reached, and how plausible what reaches them is."""
