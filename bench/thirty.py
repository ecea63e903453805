"""The same thirty facts, asked of the kit, of goss and of pytest-testinfra.

Each is true on this machine, so that all three must say so: a comparison in which one of them fails is not printed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Asked", "as_goss", "as_profile", "as_testinfra", "thirty"]


@dataclass(frozen=True)
class Asked:
    """One question: what kind of thing, its name, and what must be found."""

    kind: str
    name: str
    must: str = ""


def thirty(ports: Sequence[int], processes: Sequence[str]) -> list[Asked]:
    """The questions; two `ports` are listened to and two `processes` run while they are asked."""
    kernel = Path("/proc/sys/kernel")
    return [
        *(Asked("file", path, "file") for path in ("/etc/passwd", "/etc/group", "/etc/hosts", "/etc/os-release")),
        *(Asked("file", path, "file") for path in ("/bin/sh", "/usr/bin/env")),
        *(Asked("file", path, "directory") for path in ("/tmp", "/etc")),
        *(Asked("package", name) for name in ("bash", "coreutils", "dpkg", "libc6", "tar", "gzip", "sed", "grep")),
        *(Asked("process", name) for name in processes),
        *(Asked("port", str(port)) for port in ports),
        *(Asked("user", name) for name in ("root", "daemon", "nobody")),
        Asked("group", "root"),
        Asked("command", "uname -s", "Linux"),
        Asked("command", "true"),
        *(Asked("mount", path) for path in ("/", "/proc")),
        *(Asked("kernel", f"kernel.{name}", (kernel / name).read_text().strip()) for name in ("ostype", "osrelease")),
    ]


def as_profile(asked: Sequence[Asked]) -> str:
    """A profile of the kit."""
    texts = '{ ru = "т", en = "t", lv = "t" }'
    lines = [
        f'season = "bench"\nvalid_from = 2026-01-01\nsource = "bench"\nbudget_s = 300\ntitle = {texts}\n',
    ]
    for number, one in enumerate(asked, 1):
        probe, args, fault = _ours(one)
        lines.append(
            f'[[checks]]\nid = "c{number:02d}-{one.kind}"\nprobe = "{probe}"\nargs = {args}\nseverity = "major"\n'
            f"timeout_s = 10\nexpect.fail = [{fault}]\ntitle = {texts}\nfix = {texts}\n"
        )
    return "\n".join(lines)


def _ours(one: Asked) -> tuple[str, str, str]:
    name = json.dumps(one.name)
    must = json.dumps(one.must)
    match one.kind:
        case "file":
            return (
                "bench.file",
                f"{{ path = {name} }}",
                _is_not("exists") + ", " + f'{{ of = "kind", is_not = {must} }}',
            )
        case "package":
            return "software.version", f"{{ linux = {name} }}", _is_not("installed")
        case "process":
            return "bench.process", f"{{ name = {name} }}", _is_not("running")
        case "port":
            return "bench.port", f"{{ number = {one.name} }}", _is_not("listening")
        case "mount":
            return "bench.mount", f"{{ path = {name} }}", _is_not("mounted")
        case "kernel":
            return "bench.kernel", f"{{ name = {name} }}", f'{{ of = "value", is_not = {must} }}'
        case "command":
            said = f', {{ of = "said", is_not = {must} }}' if one.must else ""
            return "bench.command", f"{{ argv = {json.dumps(one.name.split())} }}", '{ of = "rc", is_not = 0 }' + said
        case _:
            return f"bench.{one.kind}", f"{{ name = {name} }}", _is_not("exists")


def _is_not(value: str) -> str:
    return f'{{ of = "{value}", is_not = true }}'


def as_goss(asked: Sequence[Asked]) -> str:
    """A gossfile."""
    parts: dict[str, dict[str, object]] = {}
    for one in asked:
        match one.kind:
            case "file":
                key, told = one.name, {"exists": True, "filetype": one.must}
                # goss looks at a link itself; the others look at what it leads to.
                if Path(one.name).is_symlink():
                    told = {"exists": True}
            case "package":
                key, told = one.name, {"installed": True}
            case "process":
                key, told = one.name, {"running": True}
            case "port":
                key, told = f"tcp:{one.name}", {"listening": True}
            case "command":
                key, told = one.name, {"exit-status": 0, **({"stdout": [one.must]} if one.must else {})}
            case "kernel":
                key, told = one.name, {"value": one.must}
            case _:
                key, told = one.name, {"exists": True}
        kind = "kernel-param" if one.kind == "kernel" else one.kind
        parts.setdefault(kind, {})[key] = told
    return json.dumps(parts, indent=1)


def as_testinfra(asked: Sequence[Asked]) -> str:
    """A test module for pytest-testinfra, one test for each question."""
    lines = []
    for number, one in enumerate(asked, 1):
        name, must = repr(one.name), repr(one.must)
        body = {
            "file": f"assert host.file({name}).exists and host.file({name}).is_{one.must or 'file'}",
            "package": f"assert host.package({name}).is_installed",
            "process": f"assert host.process.filter(comm={name})",
            "port": f"assert host.socket('tcp://127.0.0.1:' + {name}).is_listening",
            "user": f"assert host.user({name}).exists",
            "group": f"assert host.group({name}).exists",
            "mount": f"assert host.mount_point({name}).exists",
            "kernel": f"assert str(host.sysctl({name})) == {must}",
            "command": f"done = host.run({name})\n    assert done.rc == 0 and {must} in done.stdout",
        }[one.kind]
        lines.append(f"def test_{number:02d}_{one.kind}(host):\n    {body}\n")
    return "\n\n".join(lines)
