// SPDX-License-Identifier: Apache-2.0

import MartletEvents
public import MartletRules
public import MartletState

extension Rule {
  private static let userFields: [Field] = [.userName, .userHome, .userShell, .userLoginName, .groupName]

  /// What its alerts need, beside what the kernel knows: every alert tells whose container it is.
  public var awaitedNames: AwaitedNames {
    names(Self.userFields.contains) ? [.container, .users] : .container
  }
}
