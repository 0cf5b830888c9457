"""Search in both directions: an index of vectors and items, queries, calibrated chances, reasons and export."""
