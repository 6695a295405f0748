# SPDX-License-Identifier: Apache-2.0
"""What the scenarios of this folder share: how one is run, and how it waits for an alert."""

import json
import signal
import sys
from pathlib import Path

from agent import wait_for

# Before whoever started it ends it by force: then nobody would clean up.
SECONDS_MAX = 200


def run(scenario, place, parameters):
    """Prints what `scenario` returns as one JSON object. It gets the place, made in the folder that is the last of the
    program's arguments, and then the others."""
    if len(sys.argv) != 1 + len(parameters.split()):
        sys.exit(f"usage: {Path(sys.argv[0]).name} {parameters}")

    def give_up(*_):
        raise TimeoutError(f"not done within {SECONDS_MAX} s")

    signal.signal(signal.SIGALRM, give_up)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    signal.alarm(SECONDS_MAX)
    with place(sys.argv[-1]) as made:
        result = scenario(made, *sys.argv[1:-1])
        signal.alarm(0)
    json.dump(result, sys.stdout)


def alert(act, agent, container, is_right=lambda fields: True):
    """Acts until an alert is right: what a runtime says may come a moment after the event."""
    def attempt():
        count = len(agent.alerts(container))
        act()
        wait_for(lambda: len(agent.alerts(container)) > count, "an alert")
        fields = agent.alerts(container)[-1]
        return fields if is_right(fields) else None

    return wait_for(attempt, "the right alert")


def is_named(fields):
    # Asked about a container that has not started yet, a runtime tells that later.
    return fields["container.name"] is not None and fields["container.start_ts"] is not None
