"""What an edit of the letters of a CDS does to its codons and its protein."""

from lifecode.variants.alleles import is_ambiguous
from lifecode.variants.consequence import protein_names
from lifecode.variants.consequence.effect import Edit, Effect
from lifecode.variants.transcripts import Transcript

_FURTHEST_STOP = 3_000
"""Nucleotides behind a CDS that are read for the stop of another frame."""


def coding_effect(transcript: Transcript, edit: Edit, terms: tuple[str, ...], name: str) -> Effect:
    """The effect of an edit that lies in one part of the CDS."""
    coding, frame, protein = transcript.coding, transcript.frame, transcript.protein
    at, size, alt, _ = edit
    first = (at - frame) // 3
    last = (max(at, at + size - 1) - frame) // 3
    if first < 0 or last >= len(protein):
        if last >= len(protein):
            terms = (*terms, "incomplete_terminal_codon_variant")
        return Effect(
            (*terms, "coding_sequence_variant"), name, protein_names.UNKNOWN, status="partial_codon"
        )
    begin, end = frame + 3 * first, frame + 3 * last + 3
    old = coding[begin:end]
    new = coding[begin:at] + alt + coding[at + size : end]
    codons = f"{old}/{new or '-'}"
    residues = protein[first : last + 1]
    if len(alt) == size and is_ambiguous(old + new):
        terms = (*terms, "coding_sequence_variant")
        return Effect(terms, name, protein_names.UNKNOWN, codons, first_codon=first, status="ambiguous")
    begins = first == 0 and transcript.starts_with_start
    # of a deletion what follows the touched codons may complete the first one again
    if begins and coding[:3] != (new + coding[end : end + 2])[:3]:
        if len(alt) != size or size <= 3 - at or not transcript.is_start(new[:3]):
            return _start_effect(transcript, edit, terms, name, codons)
        terms = (*terms, "start_retained_variant")  # and what it does to the codons behind
    if len(alt) != size:
        found, hgvs_p, pair, status = _indel(transcript, edit, first, last, new)
        return Effect((*terms, *found), name, hgvs_p, codons, pair, first_codon=first, status=status)
    read = transcript.translate(new)
    if begins:
        read = "M" + read[1:]
    if last == len(protein) - 1 and protein.endswith("*") and transcript.is_stop(new[-3:]):
        read = read[:-1] + "*"
    if transcript.recoded or first == 0:  # what the gene reads in its own way and is left alone
        kept = [old[i : i + 3] == new[i : i + 3] for i in range(0, len(old), 3)]
        read = "".join(a if same else b for a, b, same in zip(residues, read, kept, strict=True))
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
        scored = {"first_codon": first, "status": found[-1]}
    if len(residues) == 1 and read != "*" and residues != "*":
        hgvs_p = protein_names.substituted(residues, first, read)
    else:
        altered = protein[:first] + read + protein[last + 1 :]
        behind = _behind(transcript) if "stop_lost" in found else ""
        hgvs_p = protein_names.in_frame(protein, altered, first, behind)
    return Effect((*terms, *dict.fromkeys(found)), name, hgvs_p, codons, pair, **scored)


def _start_effect(
    transcript: Transcript, edit: Edit, terms: tuple[str, ...], name: str, codons: str
) -> Effect:
    """The effect of an edit that changes the letters of the start codon."""
    at, size, alt, _ = edit
    coding = transcript.coding
    altered = coding[:at] + alt + coding[at + size :]
    if len(alt) == size and at + size <= 3 and transcript.is_start(altered[:3]):
        scored = {"first_codon": 0, "old": coding[:3], "new": altered[:3], "status": "coding"}
        hgvs_p = protein_names.silent("M", 0, 0)
        return Effect((*terms, "start_retained_variant"), name, hgvs_p, codons, "M", **scored)
    before = transcript.before(size + 3)
    if (before + altered).endswith(coding):  # letters before the CDS take the place of those that are gone
        return Effect(
            (*terms, "start_retained_variant"),
            name,
            protein_names.SAME,
            codons,
            "M",
            first_codon=0,
            status="start_retained",
        )
    residues = f"M/{transcript.translate(altered[:3]) or '-'}"
    return Effect(
        (*terms, "start_lost"),
        name,
        protein_names.START_LOST,
        codons,
        residues,
        first_codon=0,
        status="start_lost",
    )


def edge_effect(
    transcript: Transcript, edit: Edit, beyond: int, alt: str, terms: tuple[str, ...], name: str
) -> Effect | None:
    """The effect of a change that lies across the beginning or the end of a CDS.

    Args:
        transcript: whose CDS it is.
        edit: the part inside.
        beyond: how many of the replaced letters lie outside.
        alt: all letters that come instead, in the direction of the transcript.
        terms: found already.
        name: `c.` name.

    Returns:
        None where its first codon is no start, or its last one no stop.
    """
    coding, protein = transcript.coding, transcript.protein
    at, size = edit.at, edit.size
    if at == 0 and transcript.starts_with_start and size < len(coding):
        before = transcript.before(beyond + len(coding))
        altered = before[: len(before) - beyond] + alt + coding[size:]
        if altered.endswith(coding):
            return Effect(
                (*terms, "start_retained_variant"), name, protein_names.SAME, status="start_retained"
            )
        return Effect((*terms, "start_lost"), name, protein_names.START_LOST, status="start_lost")
    if at + size == len(coding) and protein.endswith("*") and at > transcript.frame:
        first = (at - transcript.frame) // 3
        begin = transcript.frame + 3 * first
        read = _to_stop(transcript, coding[begin:at] + alt + transcript.behind(_FURTHEST_STOP)[beyond:])
        if read == protein[first:]:
            hgvs_p = protein_names.silent(protein, len(protein) - 1, len(protein) - 1)
            return Effect((*terms, "stop_retained_variant"), name, hgvs_p, status="stop_retained")
        altered = protein[:first] + read
        grown, kind = len(alt) - size - beyond, "stop_lost"
        if grown % 3:
            hgvs_p = protein_names.shifted(protein, altered, first)
        elif 0 <= altered.find("*") < len(protein) - 1:
            hgvs_p = protein_names.in_frame(protein, altered, first, "")
            kind = kind if grown else "stop_gained"
        else:
            hgvs_p = protein_names.extended(protein, altered, first, "")
        return Effect((*terms, kind), name, hgvs_p, status=kind)
    return None


def _indel(
    transcript: Transcript, edit: Edit, first: int, last: int, new: str
) -> tuple[tuple[str, ...], str, str, str]:
    """Terms, name, residues and status of an edit of a CDS that changes its length."""
    coding, protein = transcript.coding, transcript.protein
    at, size, alt, _ = edit
    on = ""
    residues = protein[first : last + 1]
    ends = protein.endswith("*") and last == len(protein) - 1
    ends = ends and bool(size or (at - transcript.frame) % 3)  # an insertion before the stop leaves it alone
    in_frame = (len(alt) - size) % 3 == 0
    if ends or not in_frame:
        begin = transcript.frame + 3 * first
        tail = coding[begin:at] + alt + coding[at + size :] + transcript.behind(_FURTHEST_STOP)
        on = _kept(transcript, _to_stop(transcript, tail), tail, first)
        if on == protein[first:] and protein.endswith("*"):  # what follows completes the same stop
            return _stop_retained(protein, residues)
    if not in_frame:
        hgvs_p = protein_names.shifted(protein, protein[:first] + on, first)
        return (
            ("frameshift_variant", *(("stop_lost",) if ends else ())),
            hgvs_p,
            f"{residues}/X",
            "frameshift",
        )
    read = _kept(transcript, transcript.translate(new), new, first, last)
    altered = protein[:first] + read + protein[last + 1 :]
    terms = ["inframe_insertion" if len(alt) > size else "inframe_deletion"]
    made = altered[: altered.find("*") + 1]
    if protein.endswith("*") and made == protein:  # a stop before the stop
        return _stop_retained(protein, residues)
    if protein.endswith("*") and made.startswith(protein[:-1]):  # and residues before it
        altered = made
        terms += ["stop_retained_variant"] if ends else []
    elif "*" in (read.removesuffix("*") if residues.endswith("*") else read):
        terms.insert(0, "stop_gained")
    elif ends:
        terms.append("stop_retained_variant" if "*" in read else "stop_lost")
    behind = _behind(transcript) if "stop_lost" in terms else ""
    hgvs_p = protein_names.in_frame(protein, altered, first, behind)
    return tuple(terms), hgvs_p, f"{residues}/{read or '-'}", "inframe_indel"


def _stop_retained(protein: str, residues: str) -> tuple[tuple[str, ...], str, str, str]:
    """Of an edit that leaves the protein and where it ends as they are, as `_indel` gives it."""
    hgvs_p = protein_names.silent(protein, len(protein) - 1, len(protein) - 1)
    return ("stop_retained_variant",), hgvs_p, residues, "stop_retained"


def _kept(transcript: Transcript, read: str, letters: str, first: int, last: int | None = None) -> str:
    """Residues of letters, those at the ends as the gene reads them where its own codons still stand there.

    A start codon is M and a recoded one what it is; `first` and `last` are the codons that were there.
    Letters that go on behind the CDS have no last one.
    """

    def is_there(place: int, found: bool) -> bool:
        special = (
            place in transcript.recoded
            or (not place and transcript.starts_with_start)
            or (place == len(transcript.protein) - 1 and transcript.protein.endswith("*"))
        )
        return bool(read) and special and found

    def own(place: int) -> str:
        begin = transcript.frame + 3 * place
        return transcript.coding[begin : begin + 3]

    if is_there(first, letters.startswith(own(first))):
        read = transcript.protein[first] + read[1:]
    if last is not None and is_there(last, letters.endswith(own(last)) and not len(letters) % 3):
        read = read[:-1] + transcript.protein[last]
    return read


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
