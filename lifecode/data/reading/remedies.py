"""What would keep a CDS that was left out, for each reason: the option to give, or that there is none."""

from collections.abc import Sequence

from lifecode.data.cds.rejection import Rejected

MALFORMED = "malformed_record"
BORDER, DUPLICATE, HOMOLOG = "border", "duplicate_across_splits", "homolog_across_splits"

_OF_REASON: dict[str, str] = {
    Rejected.PSEUDO: "nothing: a pseudogene has no protein",
    Rejected.PARTIAL: "nothing: its protein is not complete",
    Rejected.UNREADABLE_LOCATION: "nothing: its file does not say where it lies",
    Rejected.OUT_OF_RANGE: "nothing, unless another sequence file goes with this annotation",
    Rejected.NO_PROTEIN: "nothing: its file gives it an empty protein",
    Rejected.UNKNOWN_GENETIC_CODE: "data.reading.genetic_code=1, or the code that is right",
    Rejected.SHORTER_ISOFORM: "data.reading.isoforms=all",
    Rejected.TRANSL_EXCEPT: "nothing: no genetic code reads its codons so (selenocysteine and the like)",
    Rejected.EXCEPTION: "nothing, unless a GenBank file has its protein",
    Rejected.RIBOSOMAL_SLIPPAGE: "nothing: its exons do not say where the frame changes",
    Rejected.AMBIGUOUS_NUCLEOTIDE: "data.reading.max_ambiguous_share=0.2, or another share of its codons",
    Rejected.LENGTH_NOT_MULTIPLE_OF_3: "nothing: its exons are no whole number of codons",
    Rejected.NO_START_CODON: "data.reading.genetic_code=11, if these are bacteria, archaea or plastids",
    Rejected.INTERNAL_STOP: "data.reading.genetic_code=4, or the code that is right, if it is another",
    Rejected.NO_STOP_CODON: "data.reading.genetic_code=1, or the code that is right, if it is another",
    Rejected.TRANSLATION_DIFFERS: "data.reading.genetic_code=1, or the code that is right, if it is another",
    BORDER: "data/split=contigs, or longer data.split.block_nucleotides",
    DUPLICATE: "nothing: the same sequence is held out",
    HOMOLOG: "data.split.clusters=null",
    MALFORMED: "nothing: see rejected.parquet for what is wrong with each",
}


def remedy(reason: str, contigs: Sequence[str] = ()) -> str:
    """What to do about a reason, in one line that can be typed as it stands.

    Args:
        reason: a `Rejected`, or what a split or a malformed record costs.
        contigs: on which some of the CDS lie.
    """
    if reason == Rejected.ORGANELLE_GENETIC_CODE:
        codes = ", ".join(f"{name}: 2" for name in dict.fromkeys(contigs)) or "MT: 2"
        kinds = "vertebrates 2, yeast 3, moulds 4, insects 5, plants and plastids 1 or 11"
        return f"'data.reading.genetic_code={{{codes}}}' with the code that is right: {kinds}"
    return _OF_REASON.get(reason, "nothing")
