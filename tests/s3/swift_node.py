"""OpenStack Swift on one folder, in one process: account, container, object and proxy server with the S3 interface.

Run by the Python that has `swift` installed: ``python swift_node.py FOLDER SECRET [keep]``. Prints the proxy's port
when it answers, and ends when its standard input is closed. The folder's file system must keep extended attributes.

Swift compares the SHA-256 it is told with what it received, and then forgets it. With ``keep`` a filter in front of it
remembers what Swift accepted and gives it back as S3 does, so that there is a store to try that way of proof on.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import sys
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import eventlet  # type: ignore[import-not-found]

eventlet.monkey_patch()

from eventlet import wsgi  # noqa: E402
from swift.common.ring import RingBuilder  # type: ignore[import-not-found]  # noqa: E402
from swift.common.storage_policy import reload_storage_policies  # type: ignore[import-not-found]  # noqa: E402
from swift.common.wsgi import loadapp  # type: ignore[import-not-found]  # noqa: E402

SWIFT_CONF = """[swift-hash]
swift_hash_path_suffix = exam
swift_hash_path_prefix = kit
[storage-policy:0]
name = one
default = yes
"""
STORAGE = """[DEFAULT]
devices = {devices}
mount_check = false
swift_dir = {etc}
bind_ip = 127.0.0.1
bind_port = {port}
log_name = {kind}
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""
PROXY = """[DEFAULT]
swift_dir = {etc}
bind_ip = 127.0.0.1
bind_port = {port}
log_name = proxy
[pipeline:main]
pipeline = catch_errors gatekeeper s3api tempauth copy slo dlo versioned_writes symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
check_bucket_owner = false
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_exam_kit = {secret} .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true
[filter:symlink]
use = egg:swift#symlink
"""


class KeepSha256:
    """Remembers the SHA-256 of what the application behind it took, also over parts, and tells it when asked."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.objects: dict[str, str] = {}
        self.parts: dict[tuple[str, str, str], str] = {}

    def __call__(self, env: dict[str, Any], start_response: Any) -> Any:
        method, path, query = env["REQUEST_METHOD"], env["PATH_INFO"], parse_qs(env.get("QUERY_STRING", ""))
        upload, number = (query.get(name, [""])[0] for name in ("uploadId", "partNumber"))
        told, made = env.get("HTTP_X_AMZ_CHECKSUM_SHA256", ""), ""
        if method == "POST" and upload:
            body = env["wsgi.input"].read(int(env.get("CONTENT_LENGTH") or 0))
            env["wsgi.input"] = io.BytesIO(body)
            numbers = re.findall(rb"<PartNumber>(\d+)</PartNumber>", body)
            known = [self.parts.get((path, upload, number.decode()), "") for number in numbers]
            digest = hashlib.sha256(b"".join(b64decode(one) for one in known)).digest()
            made = f"{b64encode(digest).decode()}-{len(known)}" if all(known) else ""

        def answer(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            if status.startswith("2"):
                if method == "PUT" and number:
                    self.parts[path, upload, number] = told
                elif (method == "PUT" and not query) or (method == "POST" and upload):
                    self.objects[path] = told or made
                elif method == "HEAD" and env.get("HTTP_X_AMZ_CHECKSUM_MODE") and self.objects.get(path):
                    headers = [*headers, ("x-amz-checksum-sha256", self.objects[path])]
            return start_response(status, headers, *more)

        return self.app(env, answer)


def main(folder: Path, secret: str, *, keep: bool) -> None:
    etc, devices = folder / "etc", folder / "devices"
    etc.mkdir(exist_ok=True)
    (devices / "d1").mkdir(parents=True, exist_ok=True)
    (etc / "swift.conf").write_text(SWIFT_CONF)
    listening = {kind: eventlet.listen(("127.0.0.1", 0)) for kind in ("account", "container", "object", "proxy")}
    ports = {kind: sock.getsockname()[1] for kind, sock in listening.items()}
    for kind in ("account", "container", "object"):
        builder = RingBuilder(4, 1, 0)
        builder.add_dev(
            {"id": 0, "region": 1, "zone": 1, "ip": "127.0.0.1", "port": ports[kind], "device": "d1", "weight": 1}
        )
        builder.rebalance(seed=1)
        builder.get_ring().save(str(etc / f"{kind}.ring.gz"))
    import swift.common.utils as swift_words  # type: ignore[import-not-found]

    swift_words.SWIFT_CONF_FILE = str(etc / "swift.conf")
    swift_words.HASH_PATH_SUFFIX = b"exam"
    swift_words.HASH_PATH_PREFIX = b"kit"
    import swift.common.storage_policy as policy

    policy.SWIFT_CONF_FILE = str(etc / "swift.conf")
    reload_storage_policies()
    quiet = Path(os.devnull).open("w")  # noqa: SIM115 - for as long as the process lives
    for kind, sock in listening.items():
        text = (PROXY if kind == "proxy" else STORAGE).format(
            etc=etc, devices=devices, port=ports[kind], kind=kind, secret=secret
        )
        path = etc / f"{kind}-server.conf"
        path.write_text(text)
        app = loadapp(str(path), global_conf={"log_name": kind})
        if kind == "proxy" and keep:
            app = KeepSha256(app)
        eventlet.spawn(wsgi.server, sock, app, quiet, custom_pool=eventlet.GreenPool(200), debug=False)
    print(ports["proxy"], flush=True)
    while eventlet.tpool.execute(sys.stdin.buffer.read, 1):
        pass


main(Path(sys.argv[1]), sys.argv[2], keep="keep" in sys.argv[3:])
