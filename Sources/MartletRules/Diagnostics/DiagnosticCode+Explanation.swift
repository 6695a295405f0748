// SPDX-License-Identifier: Apache-2.0

/// What `martlet check --explain CODE` prints.
extension DiagnosticCode {
  /// A few words.
  public var title: String { text.title }

  /// A paragraph: what is meant, and what to do.
  public var explanation: String { text.explanation }

  private var text: (title: String, explanation: String) {
    switch rawValue.dropFirst(1).prefix(2) {
    case "00": rawValue < DiagnosticCode.emptyCondition.rawValue ? fileText : syntaxText
    case "01": nameText
    case "02": typeText
    case "05": ruleTestText
    case "03" where rawValue >= DiagnosticCode.unknownExceptionKey.rawValue && self != .simplePattern: adviceText
    default: styleText
    }
  }

  private var fileText: (title: String, explanation: String) {
    switch self {
    case .notUTF8:
      (
        "not a text file",
        """
        A rule file is text in UTF-8. A byte was found that is no part of such a text, or a control character, which
        YAML does not allow. Save the file as UTF-8; write odd bytes in a condition as '\\xHH' inside quotes.
        """
      )
    case .fileTooLarge:
      (
        "file too large",
        """
        The file is larger than any rule file should be, and was not read. Split it, or check that the right file was
        named.
        """
      )
    case .invalidYAML:
      (
        "not valid YAML",
        """
        The file is not YAML as it stands. Often a text with ': ', ' #' or a leading special character lacks quotes,
        or a line is indented differently from its neighbours. What follows the mistake in this file was not read.
        """
      )
    case .unsupportedYAML:
      (
        "YAML that rule files do not use",
        """
        This is YAML, but of a kind that no rule file needs: lists, mappings or aliases of them as keys. Martlet refuses
        them, and large files with what may be one, because comparing such keys can take for ever.
        """
      )
    case .nestedTooDeep:
      (
        "nested too deep",
        """
        Something is nested deeper than Martlet follows: YAML collections, parentheses in a condition, or macros that
        use macros. The bounds are far above what people write; they keep a hostile file from exhausting memory.
        """
      )
    default: sizeText
    }
  }

  private var sizeText: (title: String, explanation: String) {
    switch self {
    case .tooManyNodes:
      (
        "too many YAML values",
        """
        The file has more values than Martlet reads, those behind aliases counted at each use. A few aliases of
        aliases are enough to mean billions of values.
        """
      )
    case .tooManyDefinitions:
      (
        "too many definitions",
        "All files together define more rules, macros and lists than Martlet loads. The ones from here on are not read."
      )
    case .tooManyItems:
      (
        "too many list items",
        "A list has more items than Martlet takes. Lists of that size belong into a data source, not into a rule file."
      )
    case .conditionTooLarge:
      (
        "condition too large",
        """
        With macros and lists expanded, the condition has more comparisons and constants than Martlet takes. Macros
        that use each other several times grow by multiplication; name the same test only once.
        """
      )
    case .tooManyDiagnostics:
      (
        "too many diagnostics",
        "So much is wrong that the rest is not shown. Mend what is shown, and check again: often one mistake causes many."
      )
    default: itemText
    }
  }

  private var itemText: (title: String, explanation: String) {
    switch self {
    case .notAnItem:
      (
        "not an item",
        """
        A rule file is a YAML list. Each of its entries is a mapping that begins with 'rule:', 'macro:', 'list:',
        'required_engine_version:' or 'required_plugin_versions:'.
        """
      )
    case .wrongShape:
      (
        "value of the wrong shape",
        """
        The key takes another kind of value: a text that is not empty, a list of texts, or true or false.
        """
      )
    case .missingKey:
      (
        "missing key or rule",
        """
        A rule needs 'desc', 'condition', 'output' and 'priority'; a macro needs 'condition'; a list needs 'items'. A
        rule item with nothing but 'enabled' switches a rule that must be defined before it.
        """
      )
    case .duplicateKey:
      (
        "key twice in one item",
        "The same key stands twice in one item. As in Falco the first one counts, and the other is lost. Remove one of them."
      )
    default: keyText
    }
  }

  private var keyText: (title: String, explanation: String) {
    switch self {
    case .unknownItem:
      (
        "unknown item",
        "An entry of the file has none of the keys that name an item. It is ignored; likely the key is misspelled."
      )
    case .unknownKey:
      (
        "unknown key",
        "An item has a key that means nothing there. It is ignored; likely it is misspelled or belongs elsewhere."
      )
    case .invalidPriority:
      (
        "unknown priority",
        """
        A priority is one of emergency, alert, critical, error, warning, notice, informational (or info) and debug, in
        any case.
        """
      )
    case .invalidName:
      (
        "invalid name",
        """
        A macro's name is a letter and then letters, digits and '_'. A list's name has no blank, quote, parenthesis,
        comma or '='. Otherwise conditions could not refer to them.
        """
      )
    case .invalidException:
      (
        "exception of the wrong shape",
        """
        An exception has a 'name', 'fields', perhaps 'comps', and 'values'. With one field, written as a text, 'values'
        is a list of texts and 'comps' one operator that takes a list. With a list of fields 'comps' is a list of as
        many operators, and each of the values a list of as many texts or lists. What is appended to an exception of
        the same name is 'values' only.
        """
      )
    case .invalidOverride:
      (
        "override that does not fit its item",
        """
        'override' names each key of the item, with 'append' or 'replace': what is appended to or replaced is in the
        item, and what is in the item is named. Only lists, conditions, outputs, descriptions and tags can be appended
        to; a name and a source cannot be changed at all. 'append: true' and 'override' exclude each other.
        """
      )
    default:
      (
        "rule language version",
        """
        'required_engine_version' is a number N, for version 0.N.0, or a version of three numbers. The file needs a
        newer rule language than Martlet speaks, or the value is neither.
        """
      )
    }
  }
}
