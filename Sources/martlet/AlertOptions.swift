// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// What alerts carry.
struct AlertOptions: ParsableArguments {
  @Flag(
    help: """
      Alerts say why they were raised ('explain'): the predicates that decided with their places and values, and the \
      exceptions that did not apply because a field was missing.
      """)
  var explain = false
}
