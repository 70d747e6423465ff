"""Few labels (paper, Table 2): one U-Net, one number of steps, several augmentations."""
