#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes bundles with model-signing, and variants of each, and says what its own verifier makes of them.

usage: model_signing_cases.py FOLDER

Writes FOLDER/cases.json, a list of cases: name, model, bundle, trust (keys or anchors, as paths), and whether model-signing verifies.
"""

import datetime
import json
import logging
import os
import pathlib
import shutil
import sys
import base64

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from model_signing import hashing, signing, verifying

logging.disable(logging.CRITICAL)
root = pathlib.Path(sys.argv[1])
cases = []


def write_key(name, curve):
    key = ec.generate_private_key(curve)
    private = root / f"{name}.key"
    public = root / f"{name}.pub"
    private.write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    return key, private, public


def certificate(name, key, issuer, issuer_key, is_authority, usage=None):
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
    builder = builder.issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    start = now - datetime.timedelta(days=400 if is_authority else 30)
    # The signer's certificate is over: model-signing looks at the time when it began.
    end = now + datetime.timedelta(days=400) if is_authority else now - datetime.timedelta(days=1)
    builder = builder.not_valid_before(start).not_valid_after(end)
    builder = builder.add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    signs = usage is None and not is_authority
    builder = builder.add_extension(x509.KeyUsage(
        digital_signature=signs, content_commitment=False, key_encipherment=usage is not None, data_encipherment=False,
        key_agreement=False, key_cert_sign=is_authority, crl_sign=False, encipher_only=False, decipher_only=False),
        critical=True)
    if usage is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    made = builder.sign(issuer_key, hashes.SHA256())
    path = root / f"{name}.crt"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return path


def make_model(name):
    model = root / name
    (model / "a").mkdir(parents=True)
    (model / "a" / "b").write_bytes(b"first")
    (model / "a.txt").write_bytes(b"second")
    (model / "weights.bin").write_bytes(bytes(range(256)) * 100)
    (model / "empty").write_bytes(b"")
    (model / "na\u00efve \u6a21\u578b.json").write_bytes(b"{}")
    return model


def verifier(trust):
    config = verifying.Config()
    if "keys" in trust:
        return config.use_elliptic_key_verifier(public_key=trust["keys"][0])
    return config.use_certificate_verifier(certificate_chain=trust["anchors"])


def case(name, model, bundle, trust):
    try:
        verifier(trust).verify(model, bundle)
        verified, message = True, ""
    except BaseException as error:  # pyOpenSSL and others raise what they like
        verified, message = False, f"{type(error).__name__}: {error}"[:200]
    cases.append({"name": name, "model": str(model), "bundle": str(bundle), "upstream": verified, "message": message,
                  **{kind: [str(path) for path in paths] for kind, paths in trust.items()}})


def changed_bundle(bundle, name, change):
    content = json.loads(bundle.read_text())
    change(content)
    path = root / f"{bundle.stem}-{name}.sig"
    path.write_text(json.dumps(content))
    return path


def edit_payload(content):
    payload = base64.b64decode(content["dsseEnvelope"]["payload"]).replace(b"a.txt", b"b.txt")
    content["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()


def flip_signature(content):
    raw = bytearray(base64.b64decode(content["dsseEnvelope"]["signatures"][0]["sig"]))
    raw[20] ^= 1
    content["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(raw).decode()


def bundle_variants(label, model, bundle, trust):
    def variant(name, change):
        case(f"{label}: {name}", model, changed_bundle(bundle, name.replace(" ", "-"), change), trust)

    variant("an edited payload", edit_payload)
    variant("a flipped signature", flip_signature)
    variant("another payload type", lambda c: c["dsseEnvelope"].update(payloadType="text/plain"))
    variant("another media type", lambda c: c.update(mediaType="application/vnd.dev.sigstore.bundle+json;version=0.9"))
    variant("two signatures", lambda c: c["dsseEnvelope"]["signatures"].append(c["dsseEnvelope"]["signatures"][0]))
    variant("no signature", lambda c: c["dsseEnvelope"].update(signatures=[]))
    if "keys" in trust:
        variant("another hint", lambda c: c["verificationMaterial"]["publicKey"].update(hint="00"))
        variant("no hint", lambda c: c["verificationMaterial"].update(publicKey={}))
    else:
        def chain(content):
            return content["verificationMaterial"]["x509CertificateChain"]["certificates"]
        variant("no intermediate", lambda c: chain(c).__delitem__(slice(1, None)))
        variant("a reversed chain", lambda c: chain(c).reverse())


def model_variants(label, model, bundle, trust):
    def variant(name, change):
        copy = root / f"{label}-{name}".replace(" ", "-")
        shutil.copytree(model, copy, symlinks=True)
        change(copy)
        case(f"{label}: {name}", copy, bundle, trust)

    variant("a flipped byte", lambda m: (m / "weights.bin").write_bytes(b"\1" + (m / "weights.bin").read_bytes()[1:]))
    variant("a longer file", lambda m: (m / "a.txt").write_bytes(b"second "))
    variant("an emptied file", lambda m: (m / "a.txt").write_bytes(b""))
    variant("a missing file", lambda m: (m / "a.txt").unlink())
    variant("an extra file", lambda m: (m / "extra.py").write_bytes(b"x"))
    variant("an extra empty file", lambda m: (m / "__init__.py").write_bytes(b""))
    variant("a renamed file", lambda m: (m / "a.txt").rename(m / "b.txt"))
    variant("an extra link", lambda m: (m / "link").symlink_to("a.txt"))
    variant("a link for a file", lambda m: ((m / "a.txt").rename(m / "a" / "c"), (m / "a.txt").symlink_to("a/c")))
    variant("a file below an ignored path", lambda m: ((m / ".git").mkdir(), (m / ".git" / "x.py").write_bytes(b"x")))
    variant("a renamed model", lambda m: None)


def main():
    model = make_model("model")
    trusts = {}
    for label, curve in [("P-256", ec.SECP256R1()), ("P-384", ec.SECP384R1()), ("P-521", ec.SECP521R1())]:
        _, private, public = write_key(label, curve)
        bundle = root / f"{label}.sig"
        signing.Config().use_elliptic_key_signer(private_key=private).sign(model, bundle)
        trusts[label] = {"keys": [public]}
        case(f"{label}: as made", model, bundle, trusts[label])
    case("another key", model, root / "P-256.sig", {"keys": [write_key("other", ec.SECP256R1())[2]]})
    case("a key of another curve", model, root / "P-256.sig", trusts["P-384"])
    bundle_variants("P-256", model, root / "P-256.sig", trusts["P-256"])
    model_variants("P-256", model, root / "P-256.sig", trusts["P-256"])

    authority_key, _, _ = write_key("Root", ec.SECP256R1())
    anchor = certificate("Root", authority_key, "Root", authority_key, True)
    middle_key, _, _ = write_key("Middle", ec.SECP384R1())
    middle = certificate("Middle", middle_key, "Root", authority_key, True)
    for label, usage in [("chain", None), ("server", ExtendedKeyUsageOID.SERVER_AUTH),
                         ("code", ExtendedKeyUsageOID.CODE_SIGNING)]:
        key, private, _ = write_key(label, ec.SECP256R1())
        leaf = certificate(label, key, "Middle", middle_key, False, usage)
        bundle = root / f"{label}-certificate.sig"
        signing.Config().use_certificate_signer(
            private_key=private, signing_certificate=leaf, certificate_chain=[middle]).sign(model, bundle)
        case(f"certificate for {label}: as made", model, bundle, {"anchors": [anchor]})
    foreign_key, _, _ = write_key("Foreign", ec.SECP256R1())
    foreign = certificate("Foreign", foreign_key, "Foreign", foreign_key, True)
    case("a foreign root", model, root / "chain-certificate.sig", {"anchors": [foreign]})
    bundle_variants("certificate", model, root / "chain-certificate.sig", {"anchors": [anchor]})
    model_variants("certificate", model, root / "chain-certificate.sig", {"anchors": [anchor]})

    def sign(name, target, config):
        bundle = root / f"{name}.sig"
        signing.Config().use_elliptic_key_signer(private_key=root / "P-256.key").set_hashing_config(config).sign(
            target, bundle)
        return bundle

    single = root / "single.gguf"
    single.write_bytes(b"GGUF and more")
    bundle = sign("single", single, hashing.Config())
    case("a single file: as made", single, bundle, trusts["P-256"])
    renamed = root / "renamed.gguf"
    renamed.write_bytes(single.read_bytes())
    case("a single file: renamed", renamed, bundle, trusts["P-256"])
    renamed = root / "flipped.gguf"
    renamed.write_bytes(b"GGUF and less")
    case("a single file: flipped", renamed, bundle, trusts["P-256"])

    sharded = root / "sharded"
    shutil.copytree(model, sharded)
    # Shards have no empty files: to be verified whole, a model has none.
    (sharded / "empty").unlink()
    bundle = sign("sharded", sharded, hashing.Config().use_shard_serialization(shard_size=10000))
    case("shards: as made", sharded, bundle, trusts["P-256"])
    linked = root / "linked"
    linked.mkdir()
    (root / "blob").write_bytes(b"blob")
    (linked / "weights.bin").symlink_to(root / "blob")
    bundle = sign("linked", linked, hashing.Config().set_allow_symlinks(True))
    case("links that are allowed: as made", linked, bundle, trusts["P-256"])
    for algorithm in ["blake2", "blake3"]:
        bundle = sign(algorithm, model, hashing.Config().use_file_serialization(hashing_algorithm=algorithm))
        case(f"{algorithm}: as made", model, bundle, trusts["P-256"])
    # Not to stdout: the verifier prints there.
    (root / "cases.json").write_text(json.dumps(cases))


main()
