# SPDX-License-Identifier: Apache-2.0
"""A FUSE file system with one file, 'x.gguf', that can be opened; whoever reads it waits for ever.

hang_fuse.py FOLDER: mounts there, says "mounted", serves until its standard input ends, and unmounts.
"""
import ctypes, os, select, struct, sys

libc = ctypes.CDLL(None, use_errno=True)
folder = sys.argv[1]
device = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
if libc.mount(b"hang", folder.encode(), b"fuse", 0, options):
    sys.exit(f"cannot mount: {os.strerror(ctypes.get_errno())}")
LOOKUP, FORGET, GETATTR, OPEN, READ, RELEASE, FLUSH, INIT, OPENDIR, INTERRUPT = 1, 2, 3, 14, 15, 18, 25, 26, 27, 36
ENOENT, ENOSYS = 2, 38


def attributes(inode):
    is_folder = inode == 1
    mode = 0o40755 if is_folder else 0o100644
    size = 0 if is_folder else 1 << 20
    return struct.pack("<QQQQQQIIIIIIIIII", inode, size, 8, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


def answer(request):
    length, code, unique, inode = struct.unpack_from("<IIQQ", request)
    error, body = 0, b""
    if code == INIT:
        body = struct.pack("<IIIIHHIIHHI28x", 7, 31, 65536, 0, 12, 9, 65536, 1, 0, 0, 0)
    elif code == LOOKUP:
        if request[40:].rstrip(b"\0") == b"x.gguf":
            body = struct.pack("<QQQQII", 2, 0, 60, 60, 0, 0) + attributes(2)
        else:
            error = -ENOENT
    elif code == GETATTR:
        body = struct.pack("<QII", 60, 0, 0) + attributes(inode)
    elif code in (OPEN, OPENDIR):
        body = struct.pack("<QII", 1, 0, 0)
    elif code in (READ, FORGET, INTERRUPT):
        return
    elif code not in (RELEASE, FLUSH):
        error = -ENOSYS
    os.write(device, struct.pack("<IiQ", 16 + len(body), error, unique) + body)


print("mounted", flush=True)
try:
    while True:
        ready, _, _ = select.select([device, 0], [], [])
        if 0 in ready and not os.read(0, 1):
            break
        if device in ready:
            answer(os.read(device, 1 << 20))
finally:
    libc.umount2(folder.encode(), 2)
