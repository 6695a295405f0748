#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the agent beside podman's service, which speaks Docker's interface, and tells which names its alerts bore.

usage: podman.py AGENT RULES FOLDER

AGENT is the program, RULES a file with rules, FOLDER a place that does not exist yet and is gone at the end. To be started
in a network and a mount namespace of its own. Prints one JSON object.
"""

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

import cgroups
import image
import scenario
from agent import UNTIL_HUNG_SECONDS, Agent, wait_for
from scenario import is_named

IMAGE = "localhost/shop/busybox:test"

# Machines for tests may not raise limits.
CONTAINERS = """
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
log_driver = "k8s-file"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "{folder}/tmp"
"""


class Podman:
    """`with Podman(folder) as podman:`; the folder must not exist and is gone at the end."""

    def __init__(self, folder):
        self.folder, self.socket = Path(folder), Path(folder) / "podman.sock"
        self.names = []

    def __enter__(self):
        self.folder.mkdir()
        (self.folder / "containers.conf").write_text(CONTAINERS.format(folder=self.folder))
        self.environment = {**os.environ, "CONTAINERS_CONF": str(self.folder / "containers.conf")}
        self.command = ["podman", "--root", f"{self.folder}/root", "--runroot", f"{self.folder}/run"]
        self.log = open(self.folder / "podman.log", "wb")
        try:
            self.start()
            (self.folder / "root.tar").write_bytes(image.archive(image.root()))
            self.run("import", str(self.folder / "root.tar"), IMAGE)
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self):
        self.service = subprocess.Popen(
            [*self.command, "system", "service", "--time=0", f"unix://{self.socket}"], stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=self.log, env=self.environment)
        wait_for(self.socket.exists, "the service")

    def stop(self):
        self.service.kill()
        self.service.wait()
        self.socket.unlink(missing_ok=True)

    def run(self, *arguments):
        # No pipes: what a container's monitor inherits stays open.
        with open(self.folder / "output", "w+b") as output:
            done = subprocess.run([*self.command, *arguments], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                  env=self.environment, timeout=UNTIL_HUNG_SECONDS)
            output.seek(0)
            text = output.read().decode()
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(arguments)} ended with {done.returncode}: {text}")
        return text

    def run_container(self, name, *options):
        self.names.append(name)
        return self.run("run", "--detach", "--network=none", f"--cgroup-parent=/{self.folder.name}", "--name", name,
                        *options, IMAGE, "sleep", "600").split()[-1]

    def __exit__(self, *_):
        for name in self.names:
            with contextlib.suppress(Exception):
                self.run("rm", "--force", "--time=0", name)
        self.stop()
        self.log.close()
        cgroups.remove(self.folder.name)
        subprocess.run(["umount", "--lazy", f"{self.folder}/root/overlay"], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.folder, ignore_errors=True)


def watch(podman, program, rules):
    def alert(agent, name, container, is_right=lambda fields: True):
        return scenario.alert(lambda: podman.run("exec", name, "cat", "/etc/shadow"), agent, container, is_right)

    early = podman.run_container("early", "--label", "app=web")
    agent = Agent(podman.folder, program, rules, f"docker:{podman.socket}", "agent")
    steps = {"there before": alert(agent, "early", early, is_named)}
    late = podman.run_container("late", "--privileged", "--volume", "/etc:/node:ro")
    steps["came later"] = alert(agent, "late", late, is_named)
    podman.stop()
    away = podman.run_container("away")
    steps["runtime away"] = alert(agent, "away", away)
    podman.start()
    steps["runtime back"] = alert(agent, "away", away, is_named)
    wait_for(lambda: agent.alerts(away, "Container started"), "the start")
    starts = {name: agent.alerts(container, "Container started")
              for name, container in (("early", early), ("late", late), ("away", away))}
    return {"steps": steps, "firsts": {}, "starts": starts, "agents": [agent.stop()], "pods": {}}


if __name__ == "__main__":
    scenario.run(watch, Podman, "AGENT RULES FOLDER")
