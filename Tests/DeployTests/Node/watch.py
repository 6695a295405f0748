#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the agent's image in a pod as its DaemonSet says, lets things happen in other pods, and tells what came of it.

usage: watch.py MANIFESTS IMAGE FOLDER

MANIFESTS is a folder with a kustomization, IMAGE an OCI archive, FOLDER a place that does not exist yet and is gone at
the end. Prints one JSON object.
"""

import json
import time
from datetime import datetime
from pathlib import Path

import image
import scenario
from agent import UNTIL_HUNG_SECONDS, wait_for
from manifest import NODE_NAME, Manifests, Workload, labels, namespaces, pod_config
from node import Node

BUSYBOX = "localhost/busybox:1"
READY_SIGN = "watching"


def log_lines(path):
    """(time, stream, text) of each line in a log as runtimes write it."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [(stamp, stream, text) for stamp, stream, _, text in (line.split(" ", 3) for line in lines)]


def healthy(statuses):
    """The statuses of probes once all of them are zero."""
    return statuses if not any(statuses.values()) else None


def process_facts(pid):
    """What the kernel says of a process's privileges."""
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    root = next(line for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines() if line.split()[4] == "/")
    namespaces = {name: Path(f"/proc/{pid}/ns/{name}").readlink() == Path(f"/proc/self/ns/{name}").readlink()
                  for name in ("pid", "net", "mnt", "uts")}
    return {"capabilities": status["CapEff"], "seccomp": status["Seccomp"], "no_new_privileges": status["NoNewPrivs"],
            "user": status["Uid"].split()[0], "root_options": root.split()[5], "shared_with_node": namespaces}


class Agent:
    def __init__(self, node, manifests):
        workload = Workload(manifests, manifests.one("DaemonSet"), node.folder)
        self.node, self.pod, self.probes = node, workload.pod, workload.probes
        sandbox = node.run_pod(workload.pod)
        self.started = time.time()
        self.container = node.run_container(sandbox, workload.pod, workload.container)
        self.log = Path(workload.pod["log_directory"]) / workload.container["log_path"]

    def wait_until_ready(self):
        """Seconds from the request to start the container to the log line that says it watches."""
        def stamp():
            if self.status().state != 1:
                # Its last words may still be on their way into the log.
                words = wait_for(lambda: [text for _, _, text in log_lines(self.log)], "a word of why the agent ended")
                raise RuntimeError("the agent ended:\n" + "\n".join(words))
            return next((stamp for stamp, _, text in log_lines(self.log) if READY_SIGN in text), None)

        ready = wait_for(stamp, "readiness")
        # Nanoseconds are more than Python reads.
        return datetime.fromisoformat(ready[:26] + "+00:00").timestamp() - self.started

    def status(self):
        return self.node.runtime.ContainerStatus(container_id=self.container).status

    def alerts(self):
        return [json.loads(text) for _, stream, text in log_lines(self.log) if stream == "stdout"]

    def probe(self):
        """The status of each probe's command, run in the container as kubelets do."""
        return {kind: self.node.exec_status(self.container, command) for kind, command in self.probes.items()}

    def stop(self):
        self.node.runtime.StopContainer(container_id=self.container, timeout=UNTIL_HUNG_SECONDS)
        return self.status().exit_code


class Neighbour:
    """A pod of somebody else, in which things happen."""

    def __init__(self, node, name):
        self.node = node
        options = namespaces()
        self.pod = pod_config(name, "shop", options, {"profile_type": 0})
        config = {"metadata": {"name": "main"}, "image": {"image": BUSYBOX}, "labels": labels(self.pod, "main"),
                  "linux": {"security_context": {"namespace_options": options}}}
        self.container = node.run_container(node.run_pod(self.pod), self.pod, config)

    def act(self):
        return self.node.exec_with_terminal(self.container, ["sh", "-c", "cat /etc/shadow; exit 0"])

    def act_until_named(self, agent):
        """What the terminal showed last: a runtime that is busy or has just come back may answer late, and then alerts go
        without names."""
        def attempt():
            count = len(self.alerts(agent))
            shown = self.act()
            wait_for(lambda: len(self.alerts(agent)) >= count + 2, f"an alert from {self.container}")
            return shown if all(alert["enrichment"] == "complete" for alert in self.alerts(agent)[-2:]) else None

        return wait_for(attempt, "alerts with names")

    def alerts(self, agent):
        mine = self.container[:12]
        return [alert for alert in agent.alerts() if alert["output_fields"].get("container.id") == mine]

    def result(self, agent):
        return {"container": self.container, "pod": self.pod["metadata"]["uid"], "name": self.pod["metadata"]["name"],
                "alerts": self.alerts(agent)[-2:]}


def watch(node, manifests_folder, archive):
    manifests = Manifests(manifests_folder)
    node.import_image(archive)
    image.write(node.folder / "busybox.tar", BUSYBOX, ["sleep", "600"])
    node.import_image(node.folder / "busybox.tar")
    early = Neighbour(node, "there-before")
    agent = Agent(node, manifests)
    ready_seconds = agent.wait_until_ready()
    facts = process_facts(node.pid(agent.container))
    probes = {"watching": wait_for(lambda: healthy(agent.probe()), "health")}
    late = Neighbour(node, "came-later")
    node.kill_containerd()
    node.start_containerd_again()
    neighbours = [early, late, Neighbour(node, "after-restart")]
    shown = [neighbour.act_until_named(agent) for neighbour in neighbours]
    exit_code = agent.stop()
    return {
        "containerd": node.version, "ready_seconds": round(ready_seconds, 3), "agent": facts, "exit_code": exit_code,
        "probes": probes, "node_name": NODE_NAME,
        "agent_pod": agent.pod["metadata"], "image": agent.status().image_ref,
        "log": [text for _, stream, text in log_lines(agent.log) if stream == "stderr"],
        "terminal": shown, "neighbours": [neighbour.result(agent) for neighbour in neighbours],
        "alerts_of_others": [alert["rule"] for alert in agent.alerts() if not any(
            alert in neighbour.alerts(agent) for neighbour in neighbours)],
    }


if __name__ == "__main__":
    scenario.run(watch, Node, "MANIFESTS IMAGE FOLDER")
