"""What the method costs and what it gives, measured: run each as ``python -m benchmarks.NAME``."""
