// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import Testing

/// The manifests, judged by the schemas of Kubernetes.
@Suite(
  "Kubernetes manifests", .timeLimit(.minutes(1)),
  .enabled(if: Deployment.missingForManifests == nil, Comment(rawValue: Deployment.missingForManifests ?? "")))
struct ManifestTests {
  @Test("they are valid and agree with each other")
  func valid() throws {
    let result = try Deployment.python("validate.py", [Deployment.manifests])
    #expect(result.succeeded, "\(result.errors)")
    #expect(result.output.hasPrefix("3 manifests are valid"))
  }

  /// A change that breaks them, and what has to be said of it.
  struct Mistake: Sendable, CustomTestStringConvertible {
    var file = "daemonset.yaml"
    var text: String
    var replacement: String
    var finding: String

    var testDescription: String { "\(file): \(finding)" }
  }

  @Test(
    "a mistake in them is found",
    arguments: [
      Mistake(text: "hostPID: true", replacement: "hostPid: true", finding: "'hostPid' was unexpected"),
      Mistake(text: "hostPID: true", replacement: "hostPID: on the node", finding: "is not of type"),
      Mistake(text: "readOnlyRootFilesystem", replacement: "readOnlyRootFileSystem", finding: "was unexpected"),
      Mistake(text: "drop: [ALL]", replacement: "dropp: [ALL]", finding: "'dropp' was unexpected"),
      Mistake(text: "name: martlet-site-rules", replacement: "name: martlet-rules", finding: "no config map"),
      Mistake(text: "image: localhost/martlet", replacement: "image: localhost/martel", finding: "no image for"),
      Mistake(text: "serviceAccountName: martlet", replacement: "serviceAccountName: m", finding: "no service account"),
      Mistake(file: "namespace.yaml", text: "name: martlet", replacement: "name: m", finding: "not in the namespace"),
      Mistake(
        file: "kustomization.yaml", text: "  - service-account.yaml\n", replacement: "",
        finding: "service-account.yaml: is not named"),
    ])
  func mistake(_ mistake: Mistake) throws {
    let folder = try ScratchFolder()
    let copy = try folder.manifests(changing: mistake.file, mistake.text, to: mistake.replacement)
    let result = try Deployment.python("validate.py", [copy])
    #expect(result.status == .exited(1))
    #expect(result.errors.contains(mistake.finding), "\(result.errors)")
  }

  @Test("the example of a site's rules compiles behind the bundled ones, and each of its lists is used")
  func siteRules() throws {
    let site = Deployment.manifests + "/site-rules.yaml"
    let check = try Child.run([try AgentBinary.path(), "check", "bundled", site])
    #expect(check.succeeded && check.output.hasSuffix(" rules, 0 errors, 0 warnings\n"), "\(check.output)")
  }
}
