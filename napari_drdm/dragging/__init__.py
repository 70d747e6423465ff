"""Dragging the anatomy: points that are pulled or held, their marks on the canvas, the mouse."""
