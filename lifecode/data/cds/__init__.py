"""A CDS and its protein: the exact pair that they make, or the reason why they make none."""
