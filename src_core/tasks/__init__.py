"""What a model's deformations are good for: the downstream experiments of the paper.

``segmentation`` is its Table 2, few labels and augmentation; ``common``, ``summary`` and ``output``
are what every task shares: data, means with their intervals, tables and figures.
"""
