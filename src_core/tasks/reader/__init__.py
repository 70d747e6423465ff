"""A reader test: people look at real, generated and elastic images and judge which are real."""
