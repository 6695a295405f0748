#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the agent beside a containerd that goes and comes back, and tells which names its alerts bore.

usage: names.py AGENT RULES FOLDER

AGENT is the program, RULES a file with rules, FOLDER a place that does not exist yet and is gone at the end. Prints one
JSON object: for each step the alerts of the container in which somebody read passwords.
"""

import os
import subprocess
from pathlib import Path

import cri
import image
import scenario
from agent import UNTIL_HUNG_SECONDS, Agent, wait_for
from manifest import labels, namespaces, pod_config
from node import Node
from scenario import is_named

BUSYBOX = "registry.example:5000/shop/busybox:1.36"
BRIEF_COUNT = 20
TEAM = "blue \"\n☃"


class Tenant:
    """A pod in which somebody reads passwords."""

    def __init__(self, node, name, privileged=False):
        self.node = node
        self.pod = pod_config(name, "shop", namespaces(), {"profile_type": 0})
        self.pod["labels"] += cri.entries({"app": "web", "team": TEAM})
        self.pod["linux"]["security_context"]["privileged"] = privileged
        config = {"metadata": {"name": "main"}, "image": {"image": BUSYBOX},
                  "labels": labels(self.pod, "main"),
                  "mounts": [{"container_path": "/node", "host_path": "/etc", "readonly": True}],
                  "linux": {"security_context": {"namespace_options": namespaces(), "privileged": privileged}}}
        self.sandbox = node.run_pod(self.pod)
        self.container = node.run_container(self.sandbox, self.pod, config)
        self.pid = node.pid(self.container)

    def act(self):
        """In the container's cgroup and mounts, whether or not there is a runtime to ask for that."""
        groups = [line.split(":", 2) for line in Path(f"/proc/{self.pid}/cgroup").read_text().splitlines()]

        def join():
            for _, controllers, path in groups:
                folder = "/sys/fs/cgroup/" + (controllers or "unified").removeprefix("name=")
                for root in (folder, "/sys/fs/cgroup"):
                    procs = Path(f"{root}{path}/cgroup.procs")
                    if procs.exists():
                        procs.write_text(str(os.getpid()))
                        break

        subprocess.run(["nsenter", f"--target={self.pid}", "--mount", "--root", "/bin/cat", "/etc/shadow"],
                       check=True, capture_output=True, timeout=UNTIL_HUNG_SECONDS, preexec_fn=join)

    def alert(self, agent, is_right=lambda fields: True):
        return scenario.alert(self.act, agent, self.container, is_right)

    def run_shell(self, agent):
        self.node.exec_status(self.container, ["sh", "-c", "exit 0"])
        return wait_for(lambda: agent.alerts(self.container, "Shell run"), "the alert of a shell")[0]

    def run_brief(self, number):
        """A container of the same pod that reads passwords and is over."""
        config = {"metadata": {"name": f"brief-{number}"}, "image": {"image": BUSYBOX},
                  "command": ["cat", "/etc/shadow"], "labels": labels(self.pod, f"brief-{number}"),
                  "linux": {"security_context": {"namespace_options": namespaces()}}}
        return self.node.run_container(self.sandbox, self.pod, config)


def watch(node, program, rules):
    image.write(node.folder / "busybox.tar", BUSYBOX, ["sleep", "600"])
    node.import_image(node.folder / "busybox.tar")
    steps = {}
    runtime = f"cri:{node.socket}"
    early = Tenant(node, "there-before")
    # However long the runtime takes to tell of twenty containers.
    agent = Agent(node.folder, program, rules, runtime, "agent", "--name-wait", "60")
    steps["there before"] = early.alert(agent, is_named)
    late = Tenant(node, "came-later", privileged=True)
    steps["came later"] = late.alert(agent, is_named)
    steps["shell"] = late.run_shell(agent)
    briefs = [late.run_brief(number) for number in range(BRIEF_COUNT)]
    firsts = {rule: [wait_for(lambda: agent.alerts(brief, rule), "the first alert")[0] for brief in briefs]
              for rule in ("Program run", "Passwords read")}
    node.kill_containerd()
    steps["runtime away"] = early.alert(agent)
    # An agent that finds nobody to ask when it starts.
    waiting = Agent(node.folder, program, rules, runtime, "waiting")
    steps["nobody to ask"] = early.alert(waiting)
    node.start_containerd_again()
    steps["asked again"] = early.alert(waiting, is_named)
    after = Tenant(node, "after-restart")
    steps["runtime back"] = after.alert(agent, is_named)
    # One that may use no socket, and finds the runtime's folders.
    folders = f"folder:{node.folder}/state/io.containerd.runtime.v2.task/k8s.io"
    bare = Agent(node.folder, program, rules, folders, "bare")
    steps["no socket"] = early.alert(bare, lambda fields: fields["container.name"] is not None)
    last = Tenant(node, "no-socket")
    steps["no socket, later"] = last.alert(bare, lambda fields: fields["container.name"] is not None)
    wait_for(lambda: bare.alerts(last.container, "Container started"), "the start")
    pods = {name: tenant.pod["metadata"]["uid"]
            for name, tenant in (("early", early), ("late", late), ("after", after))}
    starts = {name: told.alerts(tenant.container, "Container started")
              for name, told, tenant in (("early", agent, early), ("late", agent, late), ("after", agent, after),
                                         ("late, without socket", bare, last), ("early, without", bare, early))}
    return {"steps": steps, "firsts": firsts, "pods": pods, "starts": starts,
            "agents": [agent.stop(), waiting.stop(), bare.stop()],
            "log": agent.log_path.read_text().splitlines()}


if __name__ == "__main__":
    scenario.run(watch, Node, "AGENT RULES FOLDER")
