// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Testing

/// The churn of `make soak`, small.
@Suite(
  "churn", .serialized, .timeLimit(.minutes(5)),
  .enabled(if: ContainerSupport.isAvailable, Comment(rawValue: ContainerSupport.missing ?? "")))
struct ChurnTests {
  @Test("cgroups and containers come and go: every exec is seen with its container, and memory stays where it was")
  func churn() throws {
    let sizes = ["CHURN_CGROUPS=400", "CHURN_CONTAINERS=8", "CHURN_WARMUP=400", "CHURN_REST=0"]
    let result = try Child.run(
      ["env"] + sizes + ["python3", Repository.path(".ci/soak-churn"), try AgentBinary.path()])
    print(result.output)
    #expect(result.succeeded, "\(result.output)\(result.errors)")
  }
}
