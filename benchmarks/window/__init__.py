"""Response of the explorer's window; see ``python -m benchmarks.window --help``."""
