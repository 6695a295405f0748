// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import Testing

/// The manifests, judged by the schemas of Kubernetes.
@Suite(
  "Kubernetes manifests", .timeLimit(.minutes(5)),
  .enabled(if: Deployment.missingForManifests == nil, Comment(rawValue: Deployment.missingForManifests ?? "")))
struct ManifestTests {
  @Test("they are valid and agree with each other")
  func valid() throws {
    let result = try Deployment.python("validate.py", [Deployment.manifests])
    #expect(result.succeeded, "\(result.errors)")
    #expect(result.output.hasPrefix("3 manifests are valid"))
  }

  /// Changes that break them, and what has to be said of each.
  private static let mistakes: [(file: String, text: String, replacement: String, finding: String)] = [
    ("daemonset.yaml", "hostPID: true", "hostPid: true", "'hostPid' was unexpected"),
    ("daemonset.yaml", "hostPID: true", "hostPID: on the node", "is not of type"),
    ("daemonset.yaml", "readOnlyRootFilesystem", "readOnlyRootFileSystem", "was unexpected"),
    ("daemonset.yaml", "drop: [ALL]", "dropp: [ALL]", "'dropp' was unexpected"),
    ("daemonset.yaml", "name: martlet-site-rules", "name: martlet-rules", "no config map"),
    ("daemonset.yaml", "image: localhost/martlet", "image: localhost/martel", "no image for"),
    ("daemonset.yaml", "serviceAccountName: martlet", "serviceAccountName: m", "no service account"),
    ("namespace.yaml", "name: martlet", "name: m", "not in the namespace"),
    ("kustomization.yaml", "  - service-account.yaml\n", "", "service-account.yaml: is not named"),
  ]

  @Test("mistakes in them are found")
  func mistakes() throws {
    let folder = try TestFolder()
    let copies = try Self.mistakes.map { try folder.manifests(changing: $0.file, $0.text, to: $0.replacement) }
    let result = try Deployment.python("validate.py", copies)
    #expect(result.status == .exited(1))
    let findings = result.errors.split(separator: "\n")
    for (copy, mistake) in zip(copies, Self.mistakes) {
      let own = findings.filter { $0.hasPrefix(copy + "/") }
      #expect(own.contains { $0.contains(mistake.finding) }, "\(mistake.replacement): \(own)")
    }
  }

  @Test("the example of a site's rules compiles behind the bundled ones, and each of its lists is used")
  func siteRules() throws {
    let site = Deployment.manifests + "/site-rules.yaml"
    let check = try Child.run([try AgentBinary.path(), "check", "bundled", site])
    #expect(check.succeeded && check.output.hasSuffix(" rules, 0 errors, 0 warnings\n"), "\(check.output)")
  }
}
