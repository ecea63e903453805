"""OpenStack Swift on one folder, in one process: account, container, object and proxy server with the S3 interface.

Run by the Python that has `swift` installed: ``python swift_node.py FOLDER ACCESS SECRET``. Prints the proxy's port
when it answers, and ends when its standard input is closed. The folder's file system must keep extended attributes.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

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


def main(folder: Path, secret: str) -> None:
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
        eventlet.spawn(wsgi.server, sock, app, quiet, custom_pool=eventlet.GreenPool(200), debug=False)
    print(ports["proxy"], flush=True)
    while eventlet.tpool.execute(sys.stdin.buffer.read, 1):
        pass


main(Path(sys.argv[1]), sys.argv[2])
