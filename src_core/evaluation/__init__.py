"""What a model is worth: Table 1 and more, beside rows that need no network."""
