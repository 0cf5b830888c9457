"""Tests; small work on few threads, as a second one costs more than it gives, and far more on a busy machine."""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # read when numpy and torch are imported, which is after this
