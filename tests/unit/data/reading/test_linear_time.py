"""Text made to be slow to read: the time grows with its length, not with its square.

Each case is some megabytes, which take seconds where every letter is looked at a few times, and many hours
where it is looked at again for each of the others. The process may use a minute.
"""

import subprocess
import sys
import textwrap

CASES = {
    "brackets that stay open": """
        reads("cds:a.fa", {"a.fa": b">c " + b"[a=" * 1_000_000 + b"\\nATGTAA\\n"})
        reads("cds:b.fa", {"b.fa": b">c " + b"[" * 3_000_000 + b"\\nATGTAA\\n"})
        reads("cds:c.fa", {"c.fa": b">c " + b"[a=b] " * 500_000 + b"\\nATGTAA\\n"})
        reads("cds:d.fa", {"d.fa": b">c [transl_except=(pos:" + b" " * 2_000_000 + b",x)]\\nATGTAA\\n"})
        reads("cds:e.fa", {"e.fa": b">c [transl_except=(pos:" + b", " * 1_000_000 + b")]\\nATGTAAA\\n"})
    """,
    "a name of underscores": """
        bed = b"chr1\\t0\\t6\\tc\\t0\\t+\\t0\\t6\\t0\\t1\\t6,\\t0,\\n"
        many = b"".join(bed.replace(b"\\tc\\t", b"\\tx\\t") for _ in range(20_000))
        fasta = b">" + b"_" * 2_000_000 + b" range=chr1:1-6 x\\nATGTAA\\n>c\\nATGTAA\\n"
        reads("a.bed+u.fa", {"a.bed": bed, "u.fa": fasta})
        words = b"y" * 2_000_000
        reads("m.bed+m.fa", {"m.bed": many, "m.fa": b">x " + words + b" range=chr1:1-6 x\\nATGTAA\\n"})
    """,
    "a column of blanks": """
        line = b"c\\tX\\tCDS\\t1\\t6\\t.\\t+\\t0\\t"
        for fill in (b"a " + b" " * 60_000 + b"=", b" " * 60_000, b'a "' + b" " * 60_000, b"a " * 30_000):
            reads("a.gtf+s.fa", {"a.gtf": line + fill + b"\\n", "s.fa": b">c\\nATGTAA\\n"})
    """,
    "a header and a line of megabytes": """
        reads("h.fa", {"h.fa": b">" + b"n" * 4_000_000 + b"\\n" + b"ACGT" * 200_000})
        reads("w.fa", {"w.fa": b">c" + b" x" * 4_000_000 + b"\\nAC\\n" + b"\\n>" * 50_000})
        reads("p.dat", {"p.dat": b"ID   A AA.\\nAC   X;\\nSQ   SEQUENCE" + b" " * 4_000_000 + b"\\n//\\n"})
    """,
    "many files": """
        from lifecode.data.reading.inputs import InputUnit, _paired
        import lifecode.data.reading.inputs as inputs
        inputs._is_annotation = lambda file: file.suffix == ".gff"
        files = [Path(f"genome_{i}.{end}") for i in range(10_000) for end in ("fa", "gff")]
        assert len(_paired([InputUnit((file,)) for file in files])) == 10_000
    """,
}
SCRIPT = """
import resource, sys
from pathlib import Path
from lifecode.data import read_records
from lifecode.data.cds.coding_sequence import verify_all
from lifecode.errors import UserError

resource.setrlimit(resource.RLIMIT_CPU, (60, 60))

def reads(inputs, files):
    for name, content in files.items():
        Path(name).write_bytes(content)
    try:
        for contig in read_records(inputs, on_malformed="skip", report=lambda *_: None):
            list(verify_all(contig))
    except UserError as fault:
        assert len(str(fault)) < 5000
"""


def test_crafted_text_takes_time_by_its_length(tmp_path):
    parts = [SCRIPT]
    for name, code in CASES.items():
        parts += [textwrap.dedent(code).replace("\\\\", "\\"), f"print({name!r}, flush=True)"]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(parts)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines() == list(CASES)
