# SPDX-License-Identifier: Apache-2.0
"""The agent as a process beside a container runtime."""

import json
import os
import subprocess
import time

# Deadlines only end hangs: a busy machine takes many times as long as an idle one.
UNTIL_HUNG_SECONDS = 100


class Agent:
    """The agent as a process of this machine, with one runtime that it may ask."""

    def __init__(self, folder, program, rules, runtime, name, *more):
        self.alerts_path, self.log_path = (folder / f"{name}.{kind}" for kind in ("alerts", "log"))
        self.statistics, self.recording = (folder / f"{name}.{kind}" for kind in ("stats", "martlet"))
        with open(self.alerts_path, "wb") as alerts, open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [program, "run", "-r", rules, "--runtime", runtime, "--log-level", "debug",
                 "--stats", self.statistics, "--record", self.recording, *more],
                stdin=subprocess.DEVNULL, stdout=alerts, stderr=log, env={**os.environ, "MARTLET_CGROUP": "none"})
        wait_for(lambda: "watching" in self.log_path.read_text(), "readiness")

    def alerts(self, container, rule="Passwords read"):
        """The fields of each alert that this rule raised about the container, and how much it says is known."""
        lines = self.alerts_path.read_bytes().split(b"\n")[:-1]
        found = [alert["output_fields"] | {"enrichment": alert["enrichment"]}
                 for alert in map(json.loads, lines) if alert["rule"] == rule]
        return [fields for fields in found if fields["container.id"] == container[:12]]

    def stop(self):
        """Its exit status, statistics, and whether a replay gives the same alerts."""
        self.process.terminate()
        status = self.process.wait(UNTIL_HUNG_SECONDS)
        replay = subprocess.run([self.process.args[0], "replay", self.recording, "-r", self.process.args[3]],
                                capture_output=True, timeout=UNTIL_HUNG_SECONDS)
        return {"status": status, "statistics": json.loads(self.statistics.read_text()),
                "replays": replay.stdout == self.alerts_path.read_bytes()}


def wait_for(condition, what):
    deadline = time.monotonic() + UNTIL_HUNG_SECONDS
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.01)
    raise RuntimeError(f"{what} did not happen within {UNTIL_HUNG_SECONDS} s")
