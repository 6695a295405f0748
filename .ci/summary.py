#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Closes a test run: counts what the runner reported, names what was skipped, decides the exit status.

usage: summary.py EVENTS STATUS

EVENTS is the event stream of swift-testing (one JSON object a line); STATUS is the runner's own exit status, which is
passed on. Beyond it, a run also fails when no test ran, and when a test of the kernel or of containers was skipped on
a machine that could have run it: a green line must not hide that the most important tests did not happen.
"""

import json
import os
import sys

# Targets whose tests may be skipped only where the machine cannot run them.
MACHINE_TARGETS = ("KernelTests", "ContainerTests", "CommandTests", "DeployTests")

CAUSE_LENGTH_MAX = 300


class Run:
    """The tests of one event stream and how each of them ended."""

    def __init__(self, lines):
        self.names = {}
        self.ended, self.failed, self.skipped = set(), {}, {}
        for line in lines:
            record = json.loads(line)
            if record["kind"] == "test":
                self.declare(record["payload"])
            elif record["kind"] == "event":
                self.note(record["payload"])
        self.skip_members()

    def declare(self, test):
        if test["kind"] == "function":
            self.names[test["id"]] = test.get("displayName") or test["name"]

    def note(self, event):
        test, kind = event.get("testID"), event["kind"]
        if kind == "testEnded":
            self.ended.add(test)
        elif kind == "testSkipped":
            self.skipped[test] = reason(event)
        elif kind == "issueRecorded" and is_failure(event.get("issue", {})):
            self.failed.setdefault(test, cause(event))

    def skip_members(self):
        """A suite that is skipped takes its tests with it, though the stream may name the suite alone."""
        suites = {test: why for test, why in self.skipped.items() if test not in self.names}
        for test in self.names:
            for suite, why in suites.items():
                if test.startswith(suite + "/") and test not in self.ended:
                    self.skipped.setdefault(test, why)
        self.skipped = {test: why for test, why in self.skipped.items() if test in self.names}

    def outcome(self):
        """(passed, failed, skipped); a test that neither ended nor was skipped died with the runner: it failed."""
        skipped = set(self.skipped)
        failed = {test for test in self.names if test not in skipped and (test in self.failed or test not in self.ended)}
        return set(self.names) - failed - skipped, failed, skipped


def is_failure(issue):
    return not issue.get("isKnown", False) and issue.get("severity", "error") == "error"


def reason(event):
    details = [message["text"] for message in event.get("messages", [])]
    return details[0].partition("skipped: ")[2].strip('"') or details[0] if details else "no reason given"


def cause(event):
    """What went wrong, in a line: of a long text its end, where the programs that tests start say why they gave up."""
    texts = (" ".join(message["text"].split()) for message in event.get("messages", []))
    return "; ".join(text if len(text) <= CAUSE_LENGTH_MAX else "…" + text[-CAUSE_LENGTH_MAX:] for text in texts if text)


def can_run_machine_tests():
    return os.geteuid() == 0 and os.path.exists("/sys/kernel/btf/vmlinux")


def main(path, status):
    try:
        with open(path, encoding="utf-8") as lines:
            run = Run(lines)
    except FileNotFoundError:
        run = Run([])
    passed, failed, skipped = run.outcome()

    complaints = []
    if not passed and not failed:
        complaints.append("no test ran")
    if failed and status == 0:
        complaints.append("tests failed although the runner reported success")
    owed = [test for test in skipped if test.split(".")[0] in MACHINE_TARGETS]
    if owed and can_run_machine_tests():
        complaints.append("kernel and container tests may not be skipped on this machine (root, with BTF)")

    print()
    for test in sorted(failed):
        print(f"failed: {run.names[test]}  ({test})\n  {run.failed.get(test, 'it did not end')}")
    for test in sorted(skipped):
        print(f"skipped: {run.names[test]}: {run.skipped[test]}")
    for complaint in complaints:
        print(f"error: {complaint}")
    print("not run here: `make soak` adds the full-size load rounds (2,000,000 opens a round, agent off and on)")
    print(f"{len(passed)} passed, {len(failed)} failed, {len(skipped)} skipped", flush=True)
    return status or (1 if complaints else 0)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: summary.py EVENTS STATUS")
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
