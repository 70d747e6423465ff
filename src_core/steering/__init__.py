"""Targets: what a new anatomy is to be, and the search for the draws that make it so."""
