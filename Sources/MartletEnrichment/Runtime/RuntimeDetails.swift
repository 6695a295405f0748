// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import MartletEvents

/// What runtimes tell beyond the interface of Kubernetes: a JSON object of their own beside a container's status.
struct RuntimeDetails {
  /// Nil where there are no details.
  var isPrivileged: Bool?

  init(_ text: Data?) {
    guard let text, let object = try? JSONDecoder().decode(Object.self, from: text) else { return }
    // What is false is left out.
    isPrivileged = object.privileged ?? object.config?.linux?.securityContext?.privileged ?? false
  }

  private struct Object: Decodable {
    /// As CRI-O tells.
    var privileged: Bool?
    /// As containerd tells.
    var config: Configuration?
  }

  private struct Configuration: Decodable {
    var linux: Linux?
  }

  private struct Linux: Decodable {
    var securityContext: SecurityContext?

    enum CodingKeys: String, CodingKey {
      case securityContext = "security_context"
    }
  }

  private struct SecurityContext: Decodable {
    var privileged: Bool?
  }
}
