# SPDX-License-Identifier: Apache-2.0
"""A node for pods: containerd of its own, with its own files, sockets, network and cgroups, gone when it is left.

It is to be started in a network and a mount namespace of its own (`unshare --net --mount --propagation private`): no
packet and no mount gets out of them, and this machine's own runtimes are not met.
"""

import contextlib
import ctypes
import json
import os
import pty
import signal
import subprocess
import time
from pathlib import Path

import cgroups
import cri
import image
from agent import UNTIL_HUNG_SECONDS

PAUSE = "localhost/pause:1"
# Where containerd and what it starts write whatever their configuration says.
COVERED = ("/run/containerd", "/run/netns", "/var/lib/cni")
# Where other runtimes have theirs, for manifests that name them.
EMPTY = ("/run/crio", "/run/k3s/containerd")
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
LIBC = ctypes.CDLL(None, use_errno=True)

CONTAINERD = """
version = 2
root = "{folder}/root"
state = "{folder}/state"
# Machines for tests may not let a daemon protect itself from the out-of-memory killer.
oom_score = 0
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.opt"]
[grpc]
  address = "{socket}"
[ttrpc]
  address = "{socket}.ttrpc"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
  disable_tcp_service = true
  tolerate_missing_hugetlb_controller = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{folder}/cni"
    conf_dir = "{folder}/cni"
"""

# A pod's network: an address on a cable that ends in the pod's own namespace.
CNI_PLUGIN = """#!/bin/sh
set -e
in_pod() { nsenter --net="$CNI_NETNS" ip "$@"; }
case $CNI_COMMAND in
  ADD)
    if [ "$CNI_IFNAME" = lo ]; then
      in_pod link set lo up
      echo '{"cniVersion": "0.4.0"}'
    else
      in_pod link add "$CNI_IFNAME" type veth peer name nowhere
      in_pod addr add 198.51.100.2/24 dev "$CNI_IFNAME"
      in_pod link set "$CNI_IFNAME" up
      echo '{"cniVersion": "0.4.0", "interfaces": [{"name": "'"$CNI_IFNAME"'", "sandbox": "'"$CNI_NETNS"'"}],
        "ips": [{"version": "4", "interface": 0, "address": "198.51.100.2/24"}]}'
    fi ;;
  VERSION) echo '{"cniVersion": "0.4.0", "supportedVersions": ["0.3.0", "0.3.1", "0.4.0"]}' ;;
esac
"""


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Node:
    """`with Node(folder) as node:`; the folder must not exist and is gone at the end."""

    def __init__(self, folder):
        self.folder = Path(folder)
        # The usual one: in this mount namespace it is nobody else's.
        self.socket = Path("/run/containerd/containerd.sock")
        # As a kubelet with --cgroup-root has it: nothing of another node is below this cgroup.
        self.cgroup_root = f"/{self.folder.name}"
        self.pods = []
        self.made = []
        self.containerd = None

    def __enter__(self):
        # What containerd leaves behind becomes a child of this process, so that none of it is missed at the end.
        LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1)
        try:
            for path in (*map(Path, COVERED + EMPTY), self.folder):
                self.cover(path)
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def cover(self, path):
        """An empty folder in memory, in this mount namespace only, over what may be there."""
        for folder in (*reversed(path.parents), path):
            if not folder.exists():
                folder.mkdir()
                self.made.append(folder)
        subprocess.run(["mount", "--no-mtab", "-t", "tmpfs", "-o", "mode=0755", "martlet-node", path], check=True)
        # As on nodes: what is mounted below it comes to be seen where it is mounted for pods that ask for that.
        subprocess.run(["mount", "--no-mtab", "--make-shared", path], check=True)

    def start(self):
        (self.folder / "config.toml").write_text(CONTAINERD.format(folder=self.folder, socket=self.socket, pause=PAUSE))
        plugins = self.folder / "cni"
        plugins.mkdir()
        for name in ("nowhere", "loopback"):
            (plugins / name).write_text(CNI_PLUGIN)
            (plugins / name).chmod(0o755)
        (plugins / "10-nowhere.conflist").write_text(
            '{"cniVersion": "0.4.0", "name": "nowhere", "plugins": [{"type": "nowhere"}]}')
        self.log = open(self.folder / "containerd.log", "wb")
        self.containerd = subprocess.Popen(
            ["containerd", "--config", self.folder / "config.toml"], stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=self.log, preexec_fn=die_with_parent)
        # From here on no code may run between fork and exec: the client's threads do not survive the one.
        self.runtime = cri.Runtime(self.socket)
        self.version = self.runtime.Version().runtime_version
        image.write(self.folder / "pause.tar", PAUSE, ["sleep", "3600"])
        self.import_image(self.folder / "pause.tar")

    def kill_containerd(self):
        """Pods go on without it. A new one makes a new socket."""
        # On a connection that has died, and does not know it yet, a call fails that would wait for a new one.
        self.runtime.close()
        self.containerd.kill()
        self.containerd.wait()
        self.socket.unlink()

    def start_containerd_again(self):
        self.containerd = subprocess.Popen(
            ["containerd", "--config", self.folder / "config.toml"], stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=self.log)
        self.runtime = cri.Runtime(self.socket)
        self.runtime.Version()

    def import_image(self, archive):
        self.ctr("images", "import", str(archive))

    def ctr(self, *arguments, **options):
        command = ["ctr", "--address", str(self.socket), "--namespace", "k8s.io", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=UNTIL_HUNG_SECONDS, **options)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}{done.stdout}")
        return done.stdout

    def exec_with_terminal(self, container, command):
        """Runs a command in a container as `kubectl exec --tty` does; gives what appeared on the terminal."""
        controller, terminal = pty.openpty()
        process = subprocess.Popen(
            ["ctr", "--address", str(self.socket), "--namespace", "k8s.io", "task", "exec", "--tty", "--exec-id",
             f"exec-{time.monotonic_ns()}", container, *command],
            stdin=terminal, stdout=terminal, stderr=terminal)
        os.close(terminal)
        shown = b""
        with contextlib.suppress(OSError):  # EIO: nobody has the other end open any more.
            while part := os.read(controller, 4096):
                shown += part
        os.close(controller)
        if process.wait(UNTIL_HUNG_SECONDS) != 0:
            raise RuntimeError(f"'{' '.join(command)}' ended with {process.returncode}: {shown.decode()}")
        return shown.decode()

    def exec_status(self, container, command):
        return self.runtime.ExecSync(container_id=container, cmd=command, timeout=UNTIL_HUNG_SECONDS).exit_code

    def run_pod(self, config):
        """Makes a pod's sandbox; it is removed at the latest with the node."""
        config["linux"]["cgroup_parent"] = f"{self.cgroup_root}/kubepods/burstable/pod{config['metadata']['uid']}"
        config["log_directory"] = str(self.folder / "logs" / config["metadata"]["uid"])
        pod = self.runtime.RunPodSandbox(config=config).pod_sandbox_id
        self.pods.append(pod)
        return pod

    def run_container(self, pod, pod_config, config):
        (Path(pod_config["log_directory"]) / config["metadata"]["name"]).mkdir(parents=True)
        config["log_path"] = f"{config['metadata']['name']}/0.log"
        container = self.runtime.CreateContainer(
            pod_sandbox_id=pod, config=config, sandbox_config=pod_config).container_id
        self.runtime.StartContainer(container_id=container)
        return container

    def pid(self, container):
        status = self.runtime.ContainerStatus(container_id=container, verbose=True)
        return json.loads(next(entry.value for entry in status.info if entry.key == "info"))["pid"]

    def __exit__(self, *_):
        for pod in reversed(self.pods):
            with contextlib.suppress(Exception):
                self.runtime.StopPodSandbox(pod_sandbox_id=pod)
                self.runtime.RemovePodSandbox(pod_sandbox_id=pod)
        if self.containerd:
            self.containerd.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.containerd.wait(5)
            self.log.close()
        self.end_children()
        cgroups.remove(self.folder.name)
        # Lazily, and from the last to the first: with the covers goes all that is mounted below them.
        for path in (self.folder, *reversed(COVERED + EMPTY)):
            subprocess.run(["umount", "--no-mtab", "--lazy", path], check=False, stderr=subprocess.DEVNULL)
        for folder in reversed(self.made):
            with contextlib.suppress(OSError):
                folder.rmdir()

    def end_children(self):
        """Ends what is still running below this process, children of children after their parents."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
            if not children:
                return
            for child in children:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(child), signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            time.sleep(0.01)
