"""The dock and the window of a reader test: people judge which images are real."""
