"""`age` itself as a peer of encrypted copies: a file at a time, as a person would, and its copy opened again."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

from bench.archive_footage import Footage
from bench.archive_peers import Peer, Step

__all__ = ["age_peers"]


def age_peers(scratch: Path) -> dict[str, Peer]:
    """Encrypting alone, and with sha256sum before and after. A key is made in `scratch`."""
    program, maker = shutil.which("age"), shutil.which("age-keygen")
    if program is None or maker is None:
        raise SystemExit("age is not here: apt-get install --no-install-recommends age")
    key = scratch / "age.key"
    key.unlink(missing_ok=True)
    subprocess.run([maker, "-o", str(key)], check=True, capture_output=True)
    told = subprocess.run([maker, "-y", str(key)], check=True, capture_output=True, text=True)
    seal = f"{shlex.quote(program)} -r {told.stdout.strip()}"
    opened = f"{shlex.quote(program)} -d -i {shlex.quote(str(key))}"

    def alone(source: Path, copy: Path, _scratch: Path) -> list[Step]:
        return [_sealed(seal, source, copy), Step(["sync", "-f", str(copy.parent)])]

    def proved(source: Path, copy: Path, folder: Path) -> list[Step]:
        sums = shlex.quote(str(folder / "age.sums"))
        count = f"cd {shlex.quote(str(source))} && find . -name '*.mp4' -exec sha256sum {{}} + > {sums}"
        check = (
            f"cd {shlex.quote(str(copy))} && while read -r sum name; do "
            f'[ "$({opened} "$name.age" | sha256sum | cut -c-64)" = "$sum" ] || echo "$name differs"; done < {sums}'
        )
        return [Step(["sh", "-c", count]), *alone(source, copy, folder),
                Step(["sh", "-c", check], verifies=True, silent=True)]  # fmt: skip

    return {
        "age": Peer("age, sync", alone, verifies=False, complete=_complete),
        "age-check": Peer("sha256sum, age, age -d, check", proved, complete=_complete),
    }


def _sealed(seal: str, source: Path, copy: Path) -> Step:
    loop = (
        f"set -e; cd {shlex.quote(str(source))}; find . -name '*.mp4' | while IFS= read -r name; do "
        f'mkdir -p {shlex.quote(str(copy))}/"$(dirname "$name")"; '
        f'{seal} -o {shlex.quote(str(copy))}/"$name.age" "$name"; done'
    )
    return Step(["sh", "-c", loop])


def _complete(copy: Path, footage: Footage) -> None:
    have = {path.name.removesuffix(".age"): path.stat().st_size for path in copy.rglob("*.mp4.age")}
    for path in footage.folder.rglob("*.mp4"):
        if have.get(path.name, 0) <= path.stat().st_size:
            raise SystemExit(f"{copy}: the copy is not complete")
