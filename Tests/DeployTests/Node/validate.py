#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Validates the manifests of folders with a kustomization, without a cluster.

usage: validate.py MANIFESTS…

Against the schemas of Kubernetes, strictly: a key that an API server would drop is an error. Then what schemas cannot
see: that names agree and files are there. Where there is kubectl, what it renders is validated in the same way. Prints
what is wrong, one finding a line, and exits 1; or what was validated, and exits 0.
"""

import shutil
import subprocess
import sys

import kubernetes_validate
import yaml
from agent import UNTIL_HUNG_SECONDS
from yamllint import linter
from yamllint.config import YamlLintConfig

from manifest import Manifests

KUBERNETES = "1.37"
STYLE = YamlLintConfig("{extends: default, rules: {line-length: {max: 120}, document-start: disable}}")


def schema_findings(name, document):
    try:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        yield f"{name}: {'.'.join(map(str, error.path))}: {error.message}"
    except (kubernetes_validate.SchemaNotFoundError, KeyError) as error:
        yield f"{name}: {error}"


def style_findings(path):
    for problem in linter.run(path.read_text(), STYLE):
        yield f"{path.name}:{problem.line}: {problem.message}"


def agreement_findings(manifests):
    """Names that have to agree across files."""
    namespace = manifests.kustomization["namespace"]
    made = {generator["name"]: generator for generator in manifests.kustomization.get("configMapGenerator", [])}
    accounts = {document["metadata"]["name"] for _, document in manifests.documents
                if document["kind"] == "ServiceAccount"}
    used = {"kustomization.yaml", *manifests.kustomization["resources"]}
    for name in made:
        files = manifests.config_map_files(name).values()
        used |= {path.name for path in files}
        yield from (f"kustomization.yaml: '{path.name}' is not there" for path in files if not path.exists())
    for name, document in manifests.documents:
        metadata = document["metadata"]
        if metadata.get("namespace", metadata["name"] if document["kind"] == "Namespace" else None) != namespace:
            yield f"{name}: is not in the namespace '{namespace}'"
        spec = document.get("spec", {}).get("template", {}).get("spec")
        if not spec:
            continue
        if (account := spec.get("serviceAccountName")) not in accounts:
            yield f"{name}: there is no service account '{account}'"
        maps = {volume["configMap"]["name"] for volume in spec.get("volumes", []) if "configMap" in volume}
        yield from (f"{name}: there is no config map '{missing}'" for missing in maps - set(made))
        yield from (f"{name}: the kustomization names no image for '{container['image']}'"
                    for container in spec["containers"] if manifests.image(container["image"]) == container["image"])
        selected = document["spec"]["selector"]["matchLabels"].items()
        if not selected <= document["spec"]["template"]["metadata"]["labels"].items():
            yield f"{name}: the selector does not match the template's labels"
    for path in sorted(manifests.folder.glob("*.yaml")):
        if path.name not in used:
            yield f"{path.name}: is not named by the kustomization"


def rendered(manifests):
    """What kubectl makes of the kustomization; None where there is no kubectl."""
    if not shutil.which("kubectl"):
        return None
    command = ["kubectl", "kustomize", manifests.folder]
    done = subprocess.run(command, capture_output=True, text=True, timeout=UNTIL_HUNG_SECONDS)
    if done.returncode != 0:
        sys.exit(f"kubectl kustomize: {done.stderr.strip()}")
    return list(yaml.safe_load_all(done.stdout))


def findings_in(manifests):
    for path in sorted(manifests.folder.glob("*.yaml")):
        yield from style_findings(path)
    for name, document in manifests.documents:
        yield from schema_findings(name, document)
    yield from agreement_findings(manifests)


def validate(folder):
    """The findings, and a sentence of what was validated."""
    manifests = Manifests(folder)
    # kubectl would only repeat what is wrong already.
    if findings := list(findings_in(manifests)):
        return findings, None
    from_kubectl = rendered(manifests)
    findings = [finding for document in from_kubectl or []
                for finding in schema_findings("kubectl kustomize", document)]
    also = "no kubectl to render them" if from_kubectl is None else f"{len(from_kubectl)} as kubectl renders them"
    return findings, f"{len(manifests.documents)} manifests are valid for Kubernetes {KUBERNETES}; {also}"


def main(folders):
    results = {folder: validate(folder) for folder in folders}
    findings = [f"{folder}/{finding}" for folder, (found, _) in results.items() for finding in found]
    if findings:
        sys.exit("\n".join(findings))
    for _, sentence in results.values():
        print(sentence)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: validate.py MANIFESTS…")
    main(sys.argv[1:])
