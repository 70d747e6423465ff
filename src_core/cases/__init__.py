"""Images and labels on one grid: what every other package works on."""
