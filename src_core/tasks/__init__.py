"""What a model's deformations are good for: the downstream experiments of the paper.

``segmentation`` is its Table 2, few labels and augmentation, ``registration`` its Table 3, networks
from synthetic pairs; ``common``, ``summary`` and ``output`` are what every task shares: data, means
with their intervals, tables and figures.
"""
