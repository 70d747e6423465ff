"""Images and labels on one grid: what every other room works on."""
