#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the agent beside docker's engine and tells which names its alerts bore.

usage: docker.py DOCKER AGENT RULES FOLDER

DOCKER is a folder into which Debian's docker.io was unpacked, AGENT the program, RULES a file with rules, FOLDER a place
that does not exist yet and is gone at the end. To be started in a network and a mount namespace of its own. Prints one JSON
object.
"""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import cgroups
import image
import scenario
from agent import UNTIL_HUNG_SECONDS, Agent, wait_for
from scenario import is_named

IMAGE = "shop/busybox:test"


class Docker:
    """`with Docker(folder) as docker:`; the folder must not exist and is gone at the end."""

    def __init__(self, folder):
        self.folder, self.socket = Path(folder), Path(folder) / "docker.sock"
        programs = Path(sys.argv[1])
        self.environment = {**os.environ, "PATH": f"{programs}/usr/sbin:{programs}/usr/bin:{os.environ['PATH']}"}
        self.names = []

    def __enter__(self):
        self.folder.mkdir()
        # Layers upon layers are no place for layers.
        subprocess.run(["mount", "--no-mtab", "-t", "tmpfs", "martlet-docker", self.folder], check=True)
        self.log = open(self.folder / "docker.log", "wb")
        try:
            # With a containerd of its own.
            self.engine = subprocess.Popen(
                ["dockerd", f"--data-root={self.folder}/root", f"--exec-root={self.folder}/exec",
                 f"--pidfile={self.folder}/pid", f"--host=unix://{self.socket}", "--bridge=none", "--iptables=false",
                 "--ip6tables=false", f"--cgroup-parent=/{self.folder.name}"],
                stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=self.environment)
            wait_for(self.answers, "the engine")
            (self.folder / "root.tar").write_bytes(image.archive(image.root()))
            self.run("import", str(self.folder / "root.tar"), IMAGE)
        except BaseException:
            self.__exit__()
            raise
        return self

    def answers(self):
        with contextlib.suppress(RuntimeError):
            return self.socket.exists() and self.run("version")

    def run(self, *arguments):
        done = subprocess.run(["docker", f"--host=unix://{self.socket}", *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, env=self.environment, timeout=UNTIL_HUNG_SECONDS)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def run_container(self, name, *options):
        self.names.append(name)
        return self.run("run", "--detach", "--network=none", "--name", name, *options, IMAGE, "sleep", "600").split()[-1]

    def __exit__(self, *_):
        for name in self.names:
            with contextlib.suppress(Exception):
                self.run("rm", "--force", name)
        self.engine.terminate()
        self.engine.wait(UNTIL_HUNG_SECONDS)
        self.log.close()
        cgroups.remove(self.folder.name)
        subprocess.run(["umount", "--lazy", self.folder], check=False, stderr=subprocess.DEVNULL)
        self.folder.rmdir()


def watch(docker, _, program, rules):
    def alert(name, container):
        return scenario.alert(lambda: docker.run("exec", name, "cat", "/etc/shadow"), agent, container, is_named)

    early = docker.run_container("early", "--label", "app=web")
    agent = Agent(docker.folder, program, rules, f"docker:{docker.socket}", "agent")
    steps = {"there before": alert("early", early)}
    late = docker.run_container("late", "--volume", "/etc:/node:ro")
    steps["came later"] = alert("late", late)
    docker.run("restart", "--time=0", "late")
    wait_for(lambda: len(agent.alerts(late, "Container started")) == 2, "the second start")
    steps["started again"] = alert("late", late)
    starts = {name: agent.alerts(container, "Container started") for name, container in (("early", early), ("late", late))}
    return {"steps": steps, "starts": starts, "firsts": {}, "agents": [agent.stop()], "pods": {}}


if __name__ == "__main__":
    scenario.run(watch, Docker, "DOCKER AGENT RULES FOLDER")
