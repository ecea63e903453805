"""Two object stores as they are run in earnest, each on one node, on loopback and in a temporary folder.

OpenStack Swift with its S3 interface comes from the package index into an environment of its own, for it pins old
libraries: ``python -m tests.s3.servers install``. Ceph's gateway comes from Debian: ``apt-get install radosgw ceph-mon
ceph-osd``; it runs over one monitor and one OSD that keeps its objects in memory. Everything dies with the test.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import uuid
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

SWIFT = "swift==2.38.3"
SECRET = "only-for-tests-4711"
NODE = Path(__file__).with_name("swift_node.py")
START_S = 180.0


class Server(ABC):
    """A running store; `make_bucket` before use, `stop` at the end."""

    name = ""
    access = ""
    secret = SECRET

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self._children: list[subprocess.Popen[bytes]] = []

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> Any:
        import boto3  # not needed to install a server
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=self.access,
            aws_secret_access_key=self.secret,
            config=Config(
                s3={"addressing_style": "path"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def make_bucket(self, name: str, *, lock: bool = False) -> None:
        self.client().create_bucket(Bucket=name, **({"ObjectLockEnabledForBucket": True} if lock else {}))

    def stop(self) -> None:
        while self._children:
            self.stop_front()

    def stop_front(self) -> None:
        """Kill the process that answers; what it keeps stays."""
        child = self._children.pop()
        child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                stream.close()

    @abstractmethod
    def start_front(self) -> None:
        """Start what `stop_front` killed; returns when it answers. Its port may be another."""

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_problem: object) -> None:
        self.stop()


class Swift(Server):
    """OpenStack Swift: four servers in one process, objects as files with extended attributes."""

    name = "swift"
    access = "exam:kit"
    words: tuple[str, ...] = ()

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.start_front()

    def start_front(self) -> None:
        child = subprocess.Popen(
            [str(swift_python()), "-W", "ignore", str(NODE), str(self.folder), self.secret, *self.words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(self.folder / "swift.log").open("wb"),
        )
        self._children.append(child)
        assert child.stdout is not None
        line = child.stdout.readline()
        if not line.strip().isdigit():
            self.stop()
            raise RuntimeError(f"swift did not start: {(self.folder / 'swift.log').read_text()[-2000:]}")
        self.port = int(line)

    @staticmethod
    def missing() -> str:
        """Why it cannot run here; empty when it can."""
        if not _ready().exists():
            return "OpenStack Swift is not installed: python -m tests.s3.servers install"
        return ""


class KeepingSwift(Swift):
    """Swift with a filter of ours before it, which keeps the SHA-256 that Swift has checked."""

    name = "swift-keeping"
    words = ("keep",)


class Radosgw(Server):
    """Ceph's gateway over a monitor and one OSD in memory."""

    name = "radosgw"
    access = "examkit"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.port, monitor = _free_port(), _free_port()
        fsid = str(uuid.uuid4())
        (folder / "osd").mkdir()
        conf = folder / "ceph.conf"
        conf.write_text(_CEPH.format(folder=folder, fsid=fsid, monitor=monitor))
        self._env = {**os.environ, "CEPH_CONF": str(conf)}
        try:
            self._start(fsid, monitor)
        except (subprocess.SubprocessError, OSError, RuntimeError):
            self.stop()
            raise

    def _start(self, fsid: str, monitor: int) -> None:
        monmap = str(self.folder / "monmap")
        address = f"[v1:127.0.0.1:{monitor}]"
        self._run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", address, monmap)
        self._run("ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap)
        self._child("ceph-mon", "-f", "-i", "a")
        self._run("ceph", "osd", "create")
        self._run("ceph-osd", "-i", "0", "--mkfs")
        self._child("ceph-osd", "-f", "-i", "0")
        self._run(
            "radosgw-admin", "user", "create", "--uid", "kit", "--display-name", "kit",
            "--access-key", self.access, "--secret-key", self.secret,
        )  # fmt: skip
        self.start_front()

    def start_front(self) -> None:
        front = f"beast endpoint=127.0.0.1:{self.port}"
        self._child("radosgw", "-f", "--name", "client.rgw", f"--rgw-frontends={front}")
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise RuntimeError("radosgw does not answer")

    def _run(self, *command: str) -> None:
        subprocess.run(command, env=self._env, check=True, capture_output=True, timeout=START_S)

    def _child(self, *command: str) -> None:
        """Dies with this process, however that ends."""
        log = (self.folder / f"{command[0]}.out").open("wb")
        line = ["setpriv", "--pdeathsig", "KILL", *command]
        self._children.append(subprocess.Popen(line, env=self._env, stdout=log, stderr=log))
        log.close()

    @staticmethod
    def missing() -> str:
        """Why it cannot run here; empty when it can."""
        lacking = [tool for tool in ("ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "setpriv") if not _tool(tool)]
        return f"not installed: {', '.join(lacking)} (apt-get install radosgw ceph-mon ceph-osd)" if lacking else ""


SERVERS: dict[str, type[Swift] | type[Radosgw]] = {
    "swift": Swift,
    "swift-keeping": KeepingSwift,
    "radosgw": Radosgw,
}

_CEPH = """[global]
fsid = {fsid}
mon_host = v1:127.0.0.1:{monitor}/0
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 2
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000
ms_bind_msgr2 = false
run_dir = {folder}
log_file = {folder}/$name.log
admin_socket = {folder}/$name.asok
pid_file =
mon_data = {folder}/mon
osd_data = {folder}/osd
osd_objectstore = memstore
memstore_device_bytes = 4294967296
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
"""


def swift_python() -> Path:
    """The Python that has swift."""
    named = os.environ.get("EXAM_KIT_SWIFT_PYTHON")
    return Path(named) if named else Path.home() / ".cache" / "exam-kit-bench" / "swift" / "bin" / "python"


def _ready() -> Path:
    """Written when the environment is complete: an installation that was cut short is none."""
    return swift_python().parent.parent / "ready"


def install_swift() -> None:
    """Make its environment, unless it is there."""
    python = swift_python()
    if _ready().exists():
        return
    folder = python.parent.parent
    if folder.exists() and not (folder / "pyvenv.cfg").exists():
        raise FileExistsError(folder)  # whatever that is, it is not ours to replace
    shutil.rmtree(folder, ignore_errors=True)
    try:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", SWIFT], check=True)
        _ready().touch()
    except subprocess.SubprocessError:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _tool(name: str) -> bool:
    return shutil.which(name) is not None


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


if __name__ == "__main__":
    if sys.argv[1:] != ["install"]:
        sys.exit("python -m tests.s3.servers install")
    install_swift()
