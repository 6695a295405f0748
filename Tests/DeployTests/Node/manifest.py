# SPDX-License-Identifier: Apache-2.0
"""Reads the manifests of a folder with a kustomization, and gives a workload to a runtime as a kubelet does.

A key that this does not translate is an error: what the tests run is what the manifest says, or they fail.
"""

import shutil
import uuid
from pathlib import Path

import yaml

import cri

# What every pod gets that does not ask for `procMount: Unmasked`.
MASKED = ["/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
          "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware"]
READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
# What matters to the API server and the scheduler alone.
NOT_FOR_RUNTIMES = {
    "pod": {"serviceAccountName", "automountServiceAccountToken", "enableServiceLinks", "priorityClassName",
            "nodeSelector", "tolerations", "terminationGracePeriodSeconds"},
    "container": {"imagePullPolicy"},
    "probe": {"periodSeconds", "timeoutSeconds", "failureThreshold", "initialDelaySeconds", "successThreshold"},
}
NODE_NAME = "node-of-these-tests"
UNITS = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}


class Manifests:
    """Everything that a kustomization names."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.kustomization = yaml.safe_load((self.folder / "kustomization.yaml").read_text())
        self.documents = [(name, document) for name in self.kustomization["resources"]
                          for document in yaml.safe_load_all((self.folder / name).read_text())]

    def one(self, kind):
        (document,) = [document for _, document in self.documents if document["kind"] == kind]
        return document

    def image(self, name):
        """The image that the kustomization gives for a name."""
        for image in self.kustomization.get("images", []):
            if image["name"] == name:
                return f"{image.get('newName', name)}:{image['newTag']}"
        return name

    def config_map_files(self, name):
        """File name to path of what a generated config map holds."""
        (generator,) = [map for map in self.kustomization["configMapGenerator"] if map["name"] == name]
        pairs = [entry.partition("=") for entry in generator["files"]]
        return {key: self.folder / (path or key) for key, _, path in pairs}


def take(table, **defaults):
    """The values of these keys; there must be no others."""
    unknown = set(table) - set(defaults)
    if unknown:
        raise ValueError(f"the manifest says {sorted(unknown)}, which these tests do not translate")
    return [table.get(key, default) for key, default in defaults.items()]


def profile(table):
    if table is None:
        return None
    kind, reference = take(table, type=None, localhostProfile="")
    return {"profile_type": cri.PROFILES[kind], "localhost_ref": reference}


def namespaces(host_pid=False, host_network=False):
    pid = cri.NAMESPACE_OF_NODE if host_pid else cri.NAMESPACE_OF_CONTAINER
    network = cri.NAMESPACE_OF_NODE if host_network else cri.NAMESPACE_OF_POD
    return {"network": network, "pid": pid, "ipc": cri.NAMESPACE_OF_POD}


def without_missing(table):
    return {key: value for key, value in table.items() if value is not None}


def number(value):
    return None if value is None else {"value": value}


def byte_count(quantity):
    return None if quantity is None else int(quantity[:-2]) * UNITS[quantity[-2:]]


class Workload:
    """The pod of a manifest's template, translated."""

    def __init__(self, manifests, document, node_folder):
        metadata, spec = document["metadata"], dict(document["spec"]["template"]["spec"])
        for key in NOT_FOR_RUNTIMES["pod"]:
            spec.pop(key, None)
        host_pid, host_network, security, containers, volumes = take(
            spec, hostPID=False, hostNetwork=False, securityContext={}, containers=[], volumes=[])
        (pod_seccomp,) = take(security, seccompProfile=None)
        self.manifests, self.node_folder = manifests, node_folder
        self.namespaces = namespaces(host_pid, host_network)
        self.seccomp = profile(pod_seccomp)
        self.volumes = {volume["name"]: self.volume(volume) for volume in volumes}
        name = f"{metadata['name']}-x7k2p"
        self.pod = pod_config(name, metadata["namespace"], self.namespaces, self.seccomp)
        (container,) = containers
        self.container = self.translated(container)

    def volume(self, volume):
        """The path on the node of what is to be mounted."""
        name, host_path, config_map, empty = take(volume, name=None, hostPath=None, configMap=None, emptyDir=None)
        if host_path:
            path, _ = take(host_path, path=None, type=None)
            return path
        if empty is not None:
            # The node's folder is in memory already.
            take(empty, medium="", sizeLimit=None)
            folder = self.node_folder / "volumes" / name
            folder.mkdir(parents=True)
            return str(folder)
        # As kubelets lay it out: a link for each file, through a link that changes all of them at once.
        (name,) = take(config_map, name=None)
        folder = self.node_folder / "volumes" / name
        (folder / "..2026").mkdir(parents=True)
        (folder / "..data").symlink_to("..2026")
        for file, source in self.manifests.config_map_files(name).items():
            shutil.copy(source, folder / "..2026" / file)
            (folder / file).symlink_to(f"..data/{file}")
        return str(folder)

    def translated(self, container):
        container = {key: value for key, value in container.items() if key not in NOT_FOR_RUNTIMES["container"]}
        name, image, command, args, env, startup, liveness, security, resources, mounts = take(
            container, name=None, image=None, command=[], args=[], env=[], startupProbe=None, livenessProbe=None,
            securityContext={}, resources={}, volumeMounts=[])
        probes = {"startup": startup, "liveness": liveness}
        self.probes = {kind: self.probe(probe) for kind, probe in probes.items() if probe}
        limits = resources.get("limits", {})
        if set(limits) - {"memory"}:
            raise ValueError("limits other than memory are not translated")
        return {
            "metadata": {"name": name}, "image": {"image": self.manifests.image(image)}, "command": command,
            "args": args, "envs": cri.entries(dict(map(self.variable, env))), "labels": labels(self.pod, name),
            "mounts": [self.mount(mount) for mount in mounts],
            "linux": {
                "resources": without_missing({"memory_limit_in_bytes": byte_count(limits.get("memory"))}),
                "security_context": self.security(security)},
        }

    def probe(self, probe):
        """The command that a kubelet runs in the container now and then; when and how often is its matter."""
        probe = {key: value for key, value in probe.items() if key not in NOT_FOR_RUNTIMES["probe"]}
        (action,) = take(probe, exec=None)
        (command,) = take(action, command=None)
        return command

    def variable(self, variable):
        name, value, source = take(variable, name=None, value="", valueFrom=None)
        if source:
            (reference,) = take(source, fieldRef=None)
            (path,) = take(reference, fieldPath=None)
            value = {"spec.nodeName": NODE_NAME}[path]
        return name, value

    def mount(self, mount):
        name, path, read_only, propagation = take(
            mount, name=None, mountPath=None, readOnly=False, mountPropagation="None")
        return {"container_path": path, "host_path": self.volumes[name], "readonly": read_only,
                "propagation": cri.PROPAGATIONS[propagation]}

    def security(self, context):
        user, group, privileged, escalation, read_only, seccomp, apparmor, capabilities = take(
            context, runAsUser=None, runAsGroup=None, privileged=False, allowPrivilegeEscalation=True,
            readOnlyRootFilesystem=False, seccompProfile=None, appArmorProfile=None, capabilities={})
        add, drop = take(capabilities, add=[], drop=[])
        return without_missing({
            "capabilities": {"add_capabilities": add, "drop_capabilities": drop}, "privileged": privileged,
            "namespace_options": self.namespaces, "run_as_user": number(user), "run_as_group": number(group),
            "readonly_rootfs": read_only, "no_new_privs": not escalation, "masked_paths": MASKED,
            "readonly_paths": READ_ONLY, "seccomp": profile(seccomp) or self.seccomp, "apparmor": profile(apparmor)})


def pod_config(name, namespace, namespace_options, seccomp):
    uid = str(uuid.uuid4())
    table = {"io.kubernetes.pod.name": name, "io.kubernetes.pod.namespace": namespace, "io.kubernetes.pod.uid": uid}
    security = without_missing({"namespace_options": namespace_options, "seccomp": seccomp})
    return {"metadata": {"name": name, "namespace": namespace, "uid": uid}, "hostname": name,
            "labels": cri.entries(table), "linux": {"security_context": security}}


def labels(pod, container):
    return pod["labels"] + cri.entries({"io.kubernetes.container.name": container})
