"""Carrying out requests: threads, cache, devices."""
