"""Row by row arithmetic: its boundary, and its compiled kernels."""
