"""A window's session as a folder ``NAME.drdm``: what it says, how it is written and read; no Qt."""
