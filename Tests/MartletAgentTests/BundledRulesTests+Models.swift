// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import MartletTesting

/// What is known of models, and what processes do that opened one.
extension BundledRulesTests {
  private static let python = process("/usr/bin/python3", "serve.py")

  private static func verdict(
    _ what: String, _ rule: String?, _ state: String, _ isVerified: Bool?, claim: String = "",
    by process: TestProcess = python
  ) -> Case {
    Case(what, rule, by: process) { process in
      Event.model(by: process) { event in
        event.path = Array("/models/x.safetensors".utf8)
        event.state = Array(state.utf8)
        event.isVerified = isVerified
        event.digest = isVerified == nil ? [] : Array("aa".utf8)
        event.claimedDigest = Array(claim.utf8)
      }
    }
  }

  static let modelCases: [Case] = [
    verdict("a verified model", nil, "verified", true), verdict("one that says so", nil, "verified", true, claim: "aa"),
    verdict("an unsigned model", "Unverified model loaded", "unsigned", false),
    verdict("an unsigned model on the host", nil, "unsigned", false, by: process("/usr/bin/python3", in: host)),
    verdict("other bytes", "Model differs from its signature", "digest_mismatch", false),
    verdict("another signer", "Model signed by nobody trusted", "untrusted_signer", false),
    verdict("a revoked signer", "Model signed by nobody trusted", "revoked", false),
    verdict("a false claim", "Model is not what its name claims", "claimed_mismatch", false, claim: "bb"),
    verdict("a large model", "Model could not be verified", "skipped:size", nil),
    Case("a write to a model in use", "Model changed while in use", by: python) { process in
      Event.model(by: process) { event in
        event.type = .modelChanged
        event.change = Array("written".utf8)
        event.isVerified = false
      }
    },
    Case("a program that a pickle starts", "Program started by a model", by: python, after: TestFile("/models/a.pkl")) {
      Event.exec($0, at: 2000)
    },
    Case("a program long after", nil, by: python, after: TestFile("/models/a.pkl")) {
      Event.exec($0, at: 6_000_000_000)
    },
    Case("a connection that a pickle makes", "Connection made by a model", by: python, after: TestFile("/models/a.pt"))
    {
      Event.connect(to: "10.1.2.3", port: 443, by: $0, at: 2000)
    },
    Case("a connection to the container itself", nil, by: python, after: TestFile("/models/a.pt")) {
      Event.connect(to: "127.0.0.1", port: 443, by: $0, at: 2000)
    },
    Case("a pickle in a server", "Pickle opened by inference server", by: process("/usr/bin/python3", "-m", "vllm")) {
      Event.open("/models/x.pt", by: $0)
    },
    Case("a pickle elsewhere", "Model opened in container", by: python) { Event.open("/models/x.pt", by: $0) },
  ]
}
