"""Downstream experiments: networks trained with and without a model's deformations.

``segmentation`` is Table 2 of the paper, few labels and augmentation; ``registration`` its Table 3,
synthetic pairs. ``table`` lists the tasks, ``task`` runs them; the other files serve all.
"""
