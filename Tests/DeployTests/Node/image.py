# SPDX-License-Identifier: Apache-2.0
"""Makes a container image of busybox: what pods in these tests run."""

import hashlib
import io
import json
import platform
import shutil
import tarfile

APPLETS = ("cat", "head", "id", "ls", "sh", "sleep", "true")
# Names that no host has.
FILES = {"etc/passwd": (b"keeper:x:0:0:root:/root:/bin/sh\n", 0o644),
         "etc/group": (b"keepers:x:0:\n", 0o644),
         "etc/shadow": (b"root:*:19000:0:99999:7:::\n", 0o640)}
FOLDERS = ("bin", "dev", "etc", "proc", "root", "sys", "tmp")


def archive(members):
    """A tar of (name, type, content or link, mode)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, kind, content, mode in members:
            member = tarfile.TarInfo(name)
            member.type, member.mode = kind, mode
            if kind == tarfile.SYMTYPE:
                member.linkname = content
                tar.addfile(member)
            else:
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def root():
    busybox = shutil.which("busybox")
    with open(busybox, "rb") as program:
        yield from ((folder, tarfile.DIRTYPE, b"", 0o755) for folder in FOLDERS)
        yield "bin/busybox", tarfile.REGTYPE, program.read(), 0o755
    yield from ((f"bin/{applet}", tarfile.SYMTYPE, "busybox", 0o777) for applet in APPLETS)
    yield from ((name, tarfile.REGTYPE, content, mode) for name, (content, mode) in FILES.items())


def write(path, reference, command):
    """Writes an OCI archive with one image of that name, which runs `command`."""
    blobs = {}

    def add(content, media_type):
        content = content if isinstance(content, bytes) else json.dumps(content).encode()
        digest = hashlib.sha256(content).hexdigest()
        blobs[digest] = content
        media_type = f"application/vnd.oci.image.{media_type}"
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}

    layer = add(archive(root()), "layer.v1.tar")
    config = add({"architecture": architecture(), "os": "linux", "config": {"Cmd": command, "Env": ["PATH=/bin"]},
                  "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}}, "config.v1+json")
    manifest = add({"schemaVersion": 2, "config": config, "layers": [layer]}, "manifest.v1+json")
    manifest["annotations"] = {"io.containerd.image.name": reference}
    index = {"schemaVersion": 2, "manifests": [manifest]}
    members = [("oci-layout", tarfile.REGTYPE, b'{"imageLayoutVersion": "1.0.0"}', 0o644),
               ("index.json", tarfile.REGTYPE, json.dumps(index).encode(), 0o644)]
    members += [(f"blobs/sha256/{digest}", tarfile.REGTYPE, content, 0o644) for digest, content in blobs.items()]
    with open(path, "wb") as file:
        file.write(archive(members))


def architecture():
    """This machine's, by the name images give it."""
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
