"""What a model's deformations are good for: the downstream experiments of the paper.

``segmentation`` is its Table 2, few labels and augmentation, ``registration`` its Table 3, networks
from synthetic pairs. ``task`` runs either; ``data``, ``summary`` and ``output`` serve both.
"""
