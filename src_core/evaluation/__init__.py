"""Evaluation of a model: Table 1 of the paper and more, with rows that need no network."""
