# SPDX-License-Identifier: Apache-2.0
"""Cgroups that a scenario leaves."""

import contextlib
import os


def remove(name):
    """Removes the cgroups of this name, in all hierarchies, with what is below them. Others come and go meanwhile."""
    roots = [os.path.join(folder, name) for folder, inner, _ in os.walk("/sys/fs/cgroup") if name in inner]
    for root in roots:
        for folder, _, _ in os.walk(root, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(folder)
