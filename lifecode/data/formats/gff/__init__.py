"""GFF3, GTF and GFF2 in the dialects that programs write: lines, families of features, coding sequences."""
