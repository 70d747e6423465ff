"""DICOM: slices, frames and segmentations, by what their headers say."""
