"""Terms of the Sequence Ontology for what a variant does, most severe first, and their impact."""

from collections.abc import Iterable

IMPACT = {
    "transcript_ablation": "HIGH",
    "splice_acceptor_variant": "HIGH",
    "splice_donor_variant": "HIGH",
    "stop_gained": "HIGH",
    "frameshift_variant": "HIGH",
    "stop_lost": "HIGH",
    "start_lost": "HIGH",
    "transcript_amplification": "HIGH",
    "feature_elongation": "HIGH",
    "feature_truncation": "HIGH",
    "inframe_insertion": "MODERATE",
    "inframe_deletion": "MODERATE",
    "missense_variant": "MODERATE",
    "protein_altering_variant": "MODERATE",
    "splice_region_variant": "LOW",
    "incomplete_terminal_codon_variant": "LOW",
    "start_retained_variant": "LOW",
    "stop_retained_variant": "LOW",
    "synonymous_variant": "LOW",
    "coding_sequence_variant": "MODIFIER",
    "5_prime_UTR_variant": "MODIFIER",
    "3_prime_UTR_variant": "MODIFIER",
    "non_coding_transcript_exon_variant": "MODIFIER",
    "intron_variant": "MODIFIER",
    "non_coding_transcript_variant": "MODIFIER",
    "intergenic_variant": "MODIFIER",
    "sequence_variant": "MODIFIER",
}
"""Impact of each term, as Ensembl's variant effect predictor rates it; the order is that of severity."""

_RANK = {term: rank for rank, term in enumerate(IMPACT)}


def joined(terms: Iterable[str]) -> str:
    """Terms as one word, most severe first: `stop_gained&splice_region_variant`."""
    return "&".join(sorted(set(terms), key=_RANK.__getitem__))


def impact_of(terms: Iterable[str]) -> str:
    """That of the most severe term."""
    return IMPACT[min(terms, key=_RANK.__getitem__)]
