"""Shared by evaluation and downstream tasks: records, journal, statistics."""
