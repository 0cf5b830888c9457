"""Search in both directions: index, queries, calibrated probabilities, reasons and export."""
