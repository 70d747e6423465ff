"""Drawing: planes of a case, label outlines, figures, films and pages; nothing here deforms."""
