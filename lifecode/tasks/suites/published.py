"""Figures of Life-Code's paper, in percent as printed: shown beside ours, marked, as of other rounds.

Tables A3, A4 (fully fine-tuned models), A5 (F1 of acceptors of fish and fly), 5 and 6; `-` where it has none.
"""

Published = dict[str, dict[str, float]]
"""Metric by name of each model, as `SequenceTask.published`."""


def from_percent(metric: str, table: str) -> dict[str, Published]:
    """The figures of each set, as shares, of a table with a set a line and a model a column.

    >>> from_percent("mcc", "set A B\\none 50.1 -")
    {'one': {'A': {'mcc': 0.501}}}
    """
    header, *lines = [line.split() for line in table.strip().splitlines()]
    return {
        line[0]: {
            model: {metric: round(float(value) / 100, 6)}
            for model, value in zip(header[1:], line[1:], strict=True)
            if value != "-"
        }
        for line in lines
    }


GENOMIC_BENCHMARKS = from_percent(
    "accuracy",
    """
set HyenaDNA DNABERT DNABERT2 GENA-LM NT-500M Caduceus-16 VQDNA MxDNA ConvNova Life-Code
dummy_mouse_enhancers_ensembl    79.34 80.99 81.82 82.97 85.12 81.63 81.06 80.57 78.40 85.46
human_enhancers_cohn             72.96 70.23 75.87 75.63 76.12 73.76 75.63 74.67 74.30 76.85
human_enhancers_ensembl          90.33 89.19 90.75 91.07 92.44 84.48 90.41 93.13 90.00 93.49
demo_coding_vs_intergenomic_seqs 90.97 93.64 93.58 93.24 95.76 93.72 94.35 95.28 94.30 96.14
demo_human_or_worm               96.24 95.84 97.39 96.98 97.51 95.57 97.23 97.64 96.70 97.75
human_ensembl_regulatory         93.08 88.16 87.94 88.10 93.79 87.30 90.92 94.11 87.30 93.93
human_ocr_ensembl                79.14 74.96 75.82 78.98 80.42 81.76 76.58 81.05 79.30 82.02
human_nontata_promoters          94.45 87.13 95.24 96.60 92.95 88.85 95.37 96.56 95.30 96.65
""",
)
GUE = from_percent(
    "mcc",
    """
set HyenaDNA DNABERT NT-2500M-multi DNABERT2 Caduceus-PS VQDNA MxDNA ConvNova Life-Code
human_tf_0               - 66.84 66.64 71.99     - 72.48     -     - 71.58
human_tf_1               - 70.14 70.28 76.06     - 76.43     -     - 75.92
human_tf_2               - 61.03 58.72 66.52     - 66.85     -     - 70.63
human_tf_3               - 51.89 51.65 58.54     - 58.92     -     - 58.74
human_tf_4               - 70.97 69.43 77.43     - 78.10     -     - 79.45
mouse_0                  - 44.42 63.31 56.76     - 58.34     -     - 64.10
mouse_1                  - 78.94 83.76 84.77     - 85.81     -     - 86.51
mouse_2                  - 71.44 71.52 79.32     - 80.39     -     - 80.49
mouse_3                  - 44.89 69.44 66.47     - 69.72     -     - 71.25
mouse_4                  - 42.48 47.07 52.66     - 54.73     -     - 55.46
prom_core_all            - 68.90 70.33 69.37     - 71.02     -     - 70.69
prom_core_notata         - 70.47 71.58 68.04     - 70.58     -     - 71.05
prom_core_tata           - 76.06 72.97 74.17     - 78.50     -     - 78.78
prom_300_all             - 90.48 91.01 86.77     - 90.75     -     - 91.33
prom_300_notata          - 93.05 94.00 94.27     - 94.48     -     - 95.03
prom_300_tata            - 61.56 79.43 71.59     - 74.52     -     - 78.97
splice_reconstructed     - 84.07 89.35 84.99     - 89.53     -     - 89.76
emp_H3               78.14 73.10 78.77 78.27 77.90 79.21 82.14 81.50 81.28
emp_H3K14ac          56.71 40.06 56.20 52.57 54.10 54.46 68.29 70.71 68.41
emp_H3K36me3         59.92 47.25 61.99 56.88 60.90 61.75 65.46 68.31 67.25
emp_H3K4me1          44.52 41.44 55.30 50.52 48.80 53.28 54.97 56.60 57.32
emp_H3K4me2          42.68 32.27 36.49 31.13 38.80 34.05 55.30 57.45 50.31
emp_H3K4me3          50.41 27.81 40.34 36.27 44.00 39.10 63.82 67.15 53.97
emp_H3K79me3         66.25 61.17 64.70 67.39 67.60 68.47 73.74 72.08 72.26
emp_H3K9ac           58.50 51.22 56.01 55.63 60.40 56.63 63.15 68.10 65.45
emp_H4               78.15 79.26 81.67 80.71 78.90 81.84 80.89 81.12 81.89
emp_H4ac             54.15 37.24 49.13 50.43 52.50 50.69 65.14 66.10 61.37
virus_covid              - 55.50 73.04 71.02     - 74.32     -     - 73.82
""",
)
SPLICEATOR = from_percent(
    "f1",
    """
set Spliceator SpliceFinder DDSP RNA-FM RINALMo Life-Code
acceptor_danio 91.9 91.8 93.6 93.7 97.4 97.3
acceptor_fly   91.0 84.2 91.4 91.9 95.8 94.7
""",
)
SPECIES = from_percent(
    "accuracy",
    """
set HyenaDNA DNABERT2 Life-Code
1000_nt   61.1 61.0 62.8
20000_nt  87.4 86.8 88.1
32000_nt  93.4 99.3 99.3
100000_nt 96.4    - 99.4
250000_nt 97.9    - 99.5
""",
)
LUCAONE = from_percent(
    "accuracy",
    """
set DNABERT2+ESM2 EVO LucaOne Life-Code
ncRPI.gene_protein.binary_class        93.32     - 93.80 94.12
CentralDogma.gene_protein.binary_class 73.31 75.45 84.84 86.51
""",
)
"""By the name of the set."""
