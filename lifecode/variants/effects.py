"""What one change does to one transcript: terms, names, codons and residues, and whether it can be scored.

Terms are decided on the left-aligned change, as by other programs. An insertion at the border of an exon
counts to what follows on the contig's forward strand.
"""

from typing import NamedTuple

from lifecode.variants import protein_names
from lifecode.variants.alleles import Change, reverse_complement_letters
from lifecode.variants.coding_names import coding_name
from lifecode.variants.transcripts import Transcript

DONOR, REGION_OF_EXON, REGION_OF_INTRON = 2, 3, 8
"""Nucleotides of an intron's ends, of the exon beside it, and of the intron, that decide splicing."""
_FURTHEST_STOP = 3_000
"""Nucleotides behind a CDS that are read for the stop of another frame."""


class Effect(NamedTuple):
    """A change seen from a transcript.

    Attributes:
        terms: of the Sequence Ontology.
        hgvs_c, hgvs_p: names, the latter empty outside of the CDS.
        codons: `AAG/AGG`, empty where no codon changes.
        amino_acids: `K/R`, or one letter where it stays.
        first_codon: 0-based number of the first touched one, -1 where it cannot be scored.
        old, new: letters of all touched codons, as many in either.
        status: `coding` where it can be scored, else why it cannot.
    """

    terms: tuple[str, ...]
    hgvs_c: str
    hgvs_p: str = ""
    codons: str = ""
    amino_acids: str = ""
    first_codon: int = -1
    old: str = ""
    new: str = ""
    status: str = "outside_cds"


class _Edit(NamedTuple):
    """What a change does to the letters of a CDS: `size` of them from `at` on become `alt`."""

    at: int
    size: int
    alt: str
    whole: bool


def effect_on(transcript: Transcript, sequence: str, change: Change) -> Effect:
    """What a change does to a transcript that it touches.

    Args:
        transcript: any on the contig.
        sequence: letters of the contig.
        change: as `normal_form` gives it.
    """
    name = coding_name(transcript, sequence, change)
    terms = splice_terms(transcript, change)
    edits = _edits(transcript, change)
    if not edits:
        terms += _outside(transcript, change)
        return Effect(tuple(terms), name, status="intron" if "intron_variant" in terms else "outside_cds")
    if len(edits) > 1 or not edits[0].whole:
        status = "read_twice" if len(edits) > 1 and all(edit.whole for edit in edits) else "exon_border"
        size = sum(len(edit.alt) - edit.size for edit in edits)
        kind = "frameshift_variant" if size % 3 else "coding_sequence_variant"
        return Effect((*terms, kind), name, protein_names.UNKNOWN, status=status)
    return _coding(transcript, edits[0], tuple(terms), name)


def splice_terms(transcript: Transcript, change: Change) -> list[str]:
    """Terms of the borders of introns that a change touches."""
    terms = []
    start, end, _ = change
    inserted = start == end
    for left, right in transcript.introns:
        if end < left - REGION_OF_EXON or start > right + REGION_OF_EXON:
            continue
        names = ("splice_donor_variant", "splice_acceptor_variant")
        at_left, at_right = names if transcript.strand == 1 else names[::-1]
        if inserted:
            if left <= start < left + DONOR:
                terms.append(at_left)
            elif right - DONOR < start < right:
                terms.append(at_right)
            elif (
                left + DONOR <= start < left + REGION_OF_INTRON
                or right - REGION_OF_INTRON < start <= right - DONOR
                or right <= start <= right + REGION_OF_EXON
                or left - REGION_OF_EXON < start < left
            ):
                terms.append("splice_region_variant")
            continue
        essential = False
        if start < left + DONOR and end > left:
            terms.append(at_left)
            essential = True
        if start < right and end > right - DONOR:
            terms.append(at_right)
            essential = True
        if not essential and (
            (start < left + REGION_OF_INTRON and end > left - REGION_OF_EXON)
            or (start < right + REGION_OF_EXON and end > right - REGION_OF_INTRON)
        ):
            terms.append("splice_region_variant")
    return terms


def _edits(transcript: Transcript, change: Change) -> list[_Edit]:
    """The parts of the CDS that a change touches."""
    start, end, alt = change
    edits = []
    for (left, right), offset in zip(transcript.parts, transcript.part_offsets, strict=True):
        if start == end:
            if not left <= start < right or (start == left and offset == 0 and transcript.strand == 1):
                continue
            if start == left and transcript.strand == -1 and left == transcript.parts[-1][0]:
                continue  # behind the last letter of the CDS
            at = offset + (start - left if transcript.strand == 1 else right - start)
            edits.append(_Edit(at, 0, alt, True))
        elif start < right and end > left:
            whole = left <= start and end <= right
            first, last = max(start, left), min(end, right)
            at = offset + (first - left if transcript.strand == 1 else right - last)
            own = alt
            if not whole:  # of a substitution the letters that lie here, else none
                own = alt[first - start : last - start] if len(alt) == end - start else ""
            edits.append(_Edit(at, last - first, own, whole))
    if transcript.strand == -1:
        edits = [edit._replace(alt=reverse_complement_letters(edit.alt)) for edit in edits]
    return edits


def _outside(transcript: Transcript, change: Change) -> list[str]:
    """Terms of a change that leaves the CDS alone: of the untranslated exons and introns it lies in."""
    start, end, _ = change
    last = max(end, start + 1)
    if any(start < right and last > left for left, right in transcript.introns):
        terms = ["intron_variant"]
    else:
        terms = []
    forward = transcript.strand == 1
    for (left, right), offset in zip(transcript.exons, transcript.offsets, strict=True):
        if start < right and last > left:
            inside = max(start, left)
            along = offset + (inside - left if forward else right - 1 - min(last, right) + 1)
            if along < transcript.cds_start:
                terms.append("5_prime_UTR_variant")
            elif along >= transcript.cds_end:
                terms.append("3_prime_UTR_variant")
            else:
                terms.append("coding_sequence_variant")
    return terms or ["coding_sequence_variant"]


def _coding(transcript: Transcript, edit: _Edit, terms: tuple[str, ...], name: str) -> Effect:
    """The effect of an edit that lies in one part of the CDS."""
    coding, frame, protein = transcript.coding, transcript.frame, transcript.protein
    at, size, alt, _ = edit
    first = (at - frame) // 3
    last = (max(at, at + size - 1) - frame) // 3
    if first < 0 or last >= len(protein):
        return Effect(
            (*terms, "coding_sequence_variant"), name, protein_names.UNKNOWN, status="partial_codon"
        )
    begin, end = frame + 3 * first, frame + 3 * last + 3
    old = coding[begin:end]
    new = coding[begin:at] + alt + coding[at + size : end]
    codons = f"{old}/{new or '-'}"
    residues = protein[first : last + 1]
    if first == 0 and transcript.starts_with_start and coding[:3] != new[:3]:
        return _at_start(transcript, edit, terms, name, codons)
    if len(alt) != size:
        changed = _indel(transcript, edit, first, last, new)
        return Effect((*terms, *changed[0]), name, changed[1], codons, changed[2], status=changed[3])
    read = transcript.translate(new)
    if transcript.recoded or first == 0:  # what the gene reads in its own way and is left alone
        kept = [old[i : i + 3] == new[i : i + 3] for i in range(0, len(old), 3)]
        read = "".join(a if same else b for a, b, same in zip(residues, read, kept, strict=True))
    if "N" in old or "N" in new:
        return Effect(
            (*terms, "coding_sequence_variant"), name, protein_names.UNKNOWN, codons, status="ambiguous"
        )
    scored = {"first_codon": first, "old": old, "new": new, "status": "coding"}
    if read == residues:
        at_stop = last == len(protein) - 1 and residues[-1] == "*"
        kind = "stop_retained_variant" if at_stop else "synonymous_variant"
        hgvs_p = protein_names.silent(protein, first, last)
        return Effect((*terms, kind), name, hgvs_p, codons, residues, **scored)
    found = []
    for one, other in zip(residues, read, strict=True):
        if one == other:
            continue
        found.append("stop_lost" if one == "*" else "stop_gained" if other == "*" else "missense_variant")
        if other == "*":
            break
    if len(found) > 1 and "missense_variant" in found and set(found) != {"missense_variant"}:
        found = [term for term in found if term != "missense_variant"]
    pair = f"{residues}/{read}"
    if "stop_gained" in found or "stop_lost" in found:
        scored = {"status": found[-1]}
    if len(residues) == 1 and read != "*" and residues != "*":
        hgvs_p = protein_names.substituted(residues, first, read)
    else:
        altered = protein[:first] + read + protein[last + 1 :]
        behind = _behind(transcript) if "stop_lost" in found else ""
        hgvs_p = protein_names.in_frame(protein, altered, first, behind)
    return Effect((*terms, *dict.fromkeys(found)), name, hgvs_p, codons, pair, **scored)


def _at_start(transcript: Transcript, edit: _Edit, terms: tuple[str, ...], name: str, codons: str) -> Effect:
    """The effect of an edit that changes the start codon."""
    at, size, alt, _ = edit
    coding = transcript.coding
    altered = coding[:at] + alt + coding[at + size :]
    residues = f"M/{transcript.translate(altered[:3]) or '-'}"
    if len(alt) == size and at + size <= 3 and transcript.is_start(altered[:3]):
        hgvs_p = protein_names.silent("M", 0, 0)
        return Effect(
            (*terms, "start_retained_variant"),
            name,
            hgvs_p,
            codons,
            "M",
            0,
            coding[:3],
            altered[:3],
            "coding",
        )
    return Effect(
        (*terms, "start_lost"), name, protein_names.START_LOST, codons, residues, status="start_lost"
    )


def _indel(
    transcript: Transcript, edit: _Edit, first: int, last: int, new: str
) -> tuple[tuple[str, ...], str, str, str]:
    """Terms, name, residues and status of an edit of a CDS that changes its length."""
    coding, protein = transcript.coding, transcript.protein
    at, size, alt, _ = edit
    residues = protein[first : last + 1]
    has_stop = protein.endswith("*")
    if (len(alt) - size) % 3:
        begin = transcript.frame + 3 * first
        tail = coding[begin:at] + alt + coding[at + size :] + transcript.behind(_FURTHEST_STOP)
        read = _to_stop(transcript, tail)
        name = protein_names.shifted(protein, protein[:first] + read, first)
        terms = ["frameshift_variant"]
        if has_stop and last == len(protein) - 1:
            terms.append("stop_lost")
        return tuple(terms), name, f"{residues}/X", "frameshift"
    read = transcript.translate(new)
    altered = protein[:first] + read + protein[last + 1 :]
    terms = ["inframe_insertion" if len(alt) > size else "inframe_deletion"]
    if "*" in read[: None if not has_stop or last < len(protein) - 1 else -1]:
        terms.insert(0, "stop_gained")
    if has_stop and last == len(protein) - 1:
        terms.append("stop_retained_variant" if "*" in read else "stop_lost")
    behind = _behind(transcript) if "stop_lost" in terms else ""
    name = protein_names.in_frame(protein, altered, first, behind)
    return tuple(terms), name, f"{residues}/{read or '-'}", "inframe_indel"


def _behind(transcript: Transcript) -> str:
    """Residues behind the CDS in its frame, to the next stop inclusive."""
    return _to_stop(transcript, transcript.behind(_FURTHEST_STOP))


def _to_stop(transcript: Transcript, letters: str) -> str:
    """Residues to the first stop inclusive."""
    table, read = transcript.residues, []
    for i in range(0, len(letters) - 2, 3):
        residue = table.get(letters[i : i + 3], "X")
        read.append(residue)
        if residue == "*":
            break
    return "".join(read)
