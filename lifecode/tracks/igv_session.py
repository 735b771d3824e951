"""A session that IGV and igv.js open offline: the genome, its coding sequences and the tracks, by name alone.

igv.js itself is no part of it. The paths are relative, so the files can be moved together.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

from lifecode.alphabet import decode_nucleotides
from lifecode.data.records import CodingSequence, Contig
from lifecode.host.durable import disk_faults_named, replacing
from lifecode.tracks.codon_sequences import why_not_shown
from lifecode.tracks.region import Region

_LINE = 60
_SUFFIXES = {"fasta": "fa", "index": "fa.fai", "genes": "bed", "xml": "xml", "json": "json"}


def session_files(stem: Path) -> dict[str, Path]:
    """The files of a session: `fasta`, its `index`, `genes`, and the session itself as `xml` and `json`."""
    return {kind: stem.with_name(f"{stem.name}.igv.{suffix}") for kind, suffix in _SUFFIXES.items()}


def write_session(
    stem: Path, contigs: Sequence[Contig], tracks: Mapping[str, Path], region: Region | None
) -> dict[str, Path]:
    """Write genome, genes and session beside the tracks.

    Args:
        stem: path that the files' names begin with.
        contigs: of the genome.
        tracks: files, in the same folder, by the name to be shown.
        region: that is shown first.

    Raises:
        UserError: a file cannot be written.
    """
    files = session_files(stem)
    texts = {"genes": "".join(line for contig in contigs for line in _bed(contig))}
    with disk_faults_named(files["fasta"]), replacing(files["fasta"]) as fasta:
        place, index = 0, []
        for contig in contigs:
            head = f">{contig.name}\n"
            letters = decode_nucleotides(contig.nucleotides)
            lines = "\n".join(letters[i : i + _LINE] for i in range(0, len(letters), _LINE)) + "\n"
            begin = place + len(head.encode())
            index.append(f"{contig.name}\t{len(letters)}\t{begin}\t{_LINE}\t{_LINE + 1}\n")
            place += fasta.write((head + lines).encode())
    locus = str(region or contigs[0].name)
    texts |= {"index": "".join(index), "xml": _xml(files, tracks, locus), "json": _json(files, tracks, locus)}
    for kind, text in texts.items():
        with disk_faults_named(files[kind]), replacing(files[kind]) as file:
            file.write(text.encode())
    return files


def _xml(files: Mapping[str, Path], tracks: Mapping[str, Path], locus: str) -> str:
    session = ElementTree.Element("Session", genome=files["fasta"].name, locus=locus, version="8")
    resources = ElementTree.SubElement(session, "Resources")
    for name, path in (*tracks.items(), ("coding sequences", files["genes"])):
        ElementTree.SubElement(resources, "Resource", name=name, path=path.name)
    ElementTree.indent(session)
    return ElementTree.tostring(session, encoding="unicode", xml_declaration=True) + "\n"


def _json(files: Mapping[str, Path], tracks: Mapping[str, Path], locus: str) -> str:
    """As igv.js documents `createBrowser`; its list of genomes, on a network, is not asked for."""
    name = files["fasta"].name
    reference = {"id": name, "name": name, "fastaURL": _url(files["fasta"]), "indexURL": _url(files["index"])}
    shown = [
        {"name": name, "type": "wig", "format": _format(path), "url": _url(path), "autoscale": True}
        for name, path in tracks.items()
    ]
    genes = {"name": "coding sequences", "type": "annotation", "format": "bed", "url": _url(files["genes"])}
    session = {
        "loadDefaultGenomes": False,
        "reference": reference,
        "locus": locus,
        "tracks": [*shown, genes],
    }
    return json.dumps(session, indent=2) + "\n"


def _url(path: Path) -> str:
    """Of a file beside the page; of a name like `a #1.bw` a browser would ask for `a ` alone."""
    return quote(path.name)


def _format(path: Path) -> str:
    return "bedgraph" if path.suffix.lower() == ".bedgraph" else "bigwig"


def _bed(contig: Contig) -> list[str]:
    usable = [cds for cds in contig.coding_sequences if why_not_shown(cds, contig) is None]
    lines = [line for cds in usable for line in _bed_of(cds, contig.name)]
    return [line for _, line in sorted(lines, key=lambda one: one[0])]


def _bed_of(cds: CodingSequence, contig: str) -> list[tuple[int, str]]:
    """BED12 with the exons as blocks; where these are not in order, as across an origin, a line for each."""
    exons = list(cds.exons if cds.exons[0].strand == 1 else cds.exons[::-1])
    in_order = all(one.end <= other.start for one, other in pairwise(exons))
    name = (cds.gene or cds.id).replace("\t", " ").replace("\n", " ")
    found = []
    for own in [exons] if in_order else [[exon] for exon in exons]:
        start, end = own[0].start, own[-1].end
        sizes = ",".join(str(exon.end - exon.start) for exon in own)
        offsets = ",".join(str(exon.start - start) for exon in own)
        strand = "+" if own[0].strand == 1 else "-"
        columns = (contig, start, end, name, 0, strand, start, end, 0, len(own), sizes, offsets)
        found.append((start, "\t".join(map(str, columns)) + "\n"))
    return found
