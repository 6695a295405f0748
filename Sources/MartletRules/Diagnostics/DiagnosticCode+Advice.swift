// SPDX-License-Identifier: Apache-2.0

/// Explanations of what is allowed and will hardly do what was meant, and of mistakes in rule tests.
extension DiagnosticCode {
  var adviceText: (title: String, explanation: String) {
    switch self {
    case .unknownExceptionKey:
      (
        "unknown key in an exception",
        "An exception has 'name', 'fields', 'comps' and 'values'. Any other key is ignored; likely it is misspelled."
      )
    case .transformerAsText:
      (
        "transformer taken as a text",
        """
        The value looks like a transformer, but is in quotes or has a blank behind its name, so that it is compared as
        the text it is. Without quotes and blank it is a transformer.
        """
      )
    case .unsafeNotAvailableCheck:
      (
        "comparison with <NA>",
        "The text '<NA>' is what these fields print where they have no value. Whether there is one is asked with 'exists'."
      )
    case .shadowedRule:
      (
        "rule behind a weaker one",
        """
        Of the rules that hold for an event only the first fires. This rule's condition says everything that an earlier
        one's says, and more, so that the earlier one always fires instead.
        """
      )
    case .looseAppend:
      (
        "appended condition binds loosely",
        """
        Conditions are appended as texts. 'and c' behind 'a or b' becomes 'a or (b and c)', and 'or c' behind 'a and b'
        fires without either. Put the first condition in parentheses, or use 'override: {condition: replace}'.
        """
      )
    case .neverFires:
      (
        "rule that never fires on a live node",
        """
        Nothing that Martlet records of a node can make the condition true: its events are not captured, or every way to
        satisfy it asks for a field that is not captured. Event lines may have both. 'martlet fields' says which events
        have a field; switch the rule off where that is known and accepted.
        """
      )
    case .misspelledList:
      (
        "text that is almost a list's name",
        """
        What is the name of no list is compared as the text it is. This one differs from a list's name by a slip of the
        finger. Mend the name, or put the text in quotes if it is meant.
        """
      )
    default:
      (
        "longer than a process's name can be",
        """
        The kernel keeps the first fifteen bytes of a process's name, and 'proc.name', 'proc.pname' and 'proc.aname'
        are these. Compare with the name cut to fifteen bytes, or with 'proc.exepath', which is whole.
        """
      )
    }
  }

  /// Of what can be wrong in rule tests.
  var ruleTestText: (title: String, explanation: String) {
    switch self {
    case .invalidRuleTest:
      (
        "not a rule test",
        """
        A file of rule tests is a list. Each test has a name ('test'), the events that happen ('given': mappings of
        fields to values), and what is to come of them: 'expect', the alerts in order, or 'not', rules that must stay
        silent. A test that has neither could not fail. 'martlet help test' shows one.
        """
      )
    default:
      (
        "no such rule",
        """
        A rule test names a rule that is not among those under test, or a pattern that takes none of them. A name that
        is misspelled behind 'not' would make the test pass for ever, so it is an error.
        """
      )
    }
  }
}
