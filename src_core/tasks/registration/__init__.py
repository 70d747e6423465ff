"""Registration networks trained on synthetic pairs (paper, section 5 and Table 3)."""
