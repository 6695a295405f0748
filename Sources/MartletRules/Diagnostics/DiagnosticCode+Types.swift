// SPDX-License-Identifier: Apache-2.0

/// Explanations of what can be wrong with types, and of what is doubtful or not supported.
extension DiagnosticCode {
  var typeText: (title: String, explanation: String) {
    switch self {
    case .operatorMismatch:
      (
        "operator does not fit the field",
        """
        Each operator works on some types of fields: text operators on texts and paths, < and > on numbers and texts,
        = != in intersects and exists on all of them. 'martlet fields' lists the type of each field.
        """
      )
    case .invalidConstant:
      (
        "value of the wrong type",
        """
        The value cannot be read as the field's type. Numbers are decimal; truth values are true and false; an address
        is written out, and a network has a '/' and its length.
        """
      )
    case .constantTooLong:
      (
        "value too long",
        "A constant has at most 255 bytes, as in Falco. Test for a part of it with 'startswith' or 'contains'."
      )
    case .constantWithNUL:
      (
        "value with a zero byte",
        "No path, name or argument on the system can hold a zero byte, so that this comparison could never be true."
      )
    case .invalidTransformer:
      (
        "transformer that does not fit",
        """
        Transformers take texts: tolower, toupper, b64 (decodes), basename and len one of them or a list, concat two or
        more, join a separator and a list, getopt a list and a text of options. In lists whole numbers become texts.
        Fields that stand for several values at once, such as 'proc.aname' without index, cannot be transformed, nor
        can 'evt.type'.
        """
      )
    case .invalidPattern:
      (
        "not a regular expression",
        """
        'regex' takes patterns of RE2 in POSIX syntax: classes such as [[:digit:]], no \\d, no look-around and no back
        references. The pattern has to take the whole value. Often 'startswith', 'endswith' or 'glob' says the same.
        """
      )
    case .sidesMismatch:
      (
        "two sides that cannot be compared",
        """
        What stands in 'val()' or comes out of a transformer on the right has to be of the same type as the left side:
        both texts, both the same kind of number, or both lists. 'pmatch' and 'regex' compare with constants only, and
        so do fields that stand for several values at once, networks and 'evt.type'.
        """
      )
    default:
      (
        "field has no single value",
        """
        The field stands for several values at once, such as both ends of a connection or all ancestors. It can be
        tested in a condition, but not printed. Name one of the values instead.
        """
      )
    }
  }

  var styleText: (title: String, explanation: String) {
    switch self {
    case .everyEvent:
      (
        "rule looks at every event, or at none",
        """
        Nothing in the condition limits the kinds of event, so that each one has to be tested and none can be dropped
        in the kernel: begin the condition with a test of 'evt.type'. Or its tests of 'evt.type' exclude each other, so
        that it can never hold: an event has one type. 'warn_evttypes: false' silences this.
        """
      )
    case .fieldAsText:
      (
        "field name used as text",
        """
        On the right of an operator a word is a text, even if a field has that name, and so is a transformer in quotes
        or in a list. Write 'val(field)' to compare two fields, and transformers without quotes.
        """
      )
    case .simplePattern:
      (
        "pattern that needs no regex",
        """
        Nothing in the pattern is special, but for anchors and '.*' at its ends. '=', 'contains', 'startswith' and
        'endswith' say the same and cost less.
        """
      )
    case .unusedMacro:
      (
        "macro never used",
        "Neither a rule nor another macro names this macro. Its fields and types have not been checked."
      )
    case .unusedList:
      (
        "list never used",
        "No rule, macro or other list names this list. It is likely left over, or misspelled where it is used."
      )
    case .numberWraps:
      (
        "number does not fit",
        """
        The number is outside of the range of the field's type. As in Falco it is not refused but wraps around, and is
        compared as the value shown, which is rarely what was meant.
        """
      )
    case .nestedListAsText:
      (
        "list two levels down",
        """
        Lists may name lists, but only one level is expanded, as in Falco: the name of a list inside a list inside this
        one stays a text. Name the inner list in the outer one directly.
        """
      )
    case .exceptionWithoutValues:
      (
        "nothing appended to an exception",
        "The rule has an exception of this name, and what is appended to it has no 'values': it changes nothing."
      )
    default: definitionText
    }
  }

  private var definitionText: (title: String, explanation: String) {
    switch self {
    case .skippedRule:
      (
        "rule skipped",
        """
        The rule has 'skip-if-unknown-filter: true' and names a field or an event that Martlet does not have. It is left
        out, with nothing else said about it.
        """
      )
    case .duplicateException:
      (
        "two exceptions of one name",
        "Two exceptions of one rule have the same name. Both count, but values can be appended only to the first."
      )
    case .redefinition:
      (
        "defined twice in one file",
        """
        A later definition replaces an earlier one of the same name and keeps its place. Across files that is how rules
        are tuned; within one file it is mostly a slip of copy and paste.
        """
      )
    default: supportText
    }
  }

  private var supportText: (title: String, explanation: String) {
    switch self {
    case .uncapturedField:
      (
        "field that is not captured",
        """
        The field is one of Falco's, so the rule loads, but nothing that Martlet records has it: it is missing on every
        event, and a comparison with it is false. 'martlet fields' says which fields are captured. Event lines may give
        any of them.
        """
      )
    case .unsupportedKey:
      (
        "key without effect",
        """
        This key is part of the rule language, but Martlet does not do it: capture, which has Falco save the events
        around an alert. The rule works without it; 'martlet record' saves events.
        """
      )
    case .deprecatedAppend:
      (
        "deprecated way to append",
        """
        'append: true' still works. Newer rule files say which keys are meant: 'override: {condition: append}'. Note
        that conditions are joined as texts: 'and' at the start of the second binds to the end of the first.
        """
      )
    case .ignoredKey:
      (
        "key ignored beside 'append' or 'override'",
        """
        This key cannot be appended to, and beside 'append: true' it does nothing; nor does a key that cannot be
        overridden do anything beside 'override', or an 'override' that names no key.
        """
      )
    case .deprecatedOutput:
      (
        "output that means nothing any more",
        """
        '%container.info' once stood for the container's name and id. Falco leaves it out today, and so does Martlet:
        name the fields that you want, such as '%container.id'.
        """
      )
    case .deprecatedField:
      (
        "field that says nothing any more",
        """
        The field compares the beginning of a system call with its end. Today only ends are seen: 'evt.dir' is always
        '<', and the latencies are missing. Leave the test out.
        """
      )
    default:
      (
        "deprecated way to switch a rule",
        """
        An item with a rule's name and 'enabled' switches that rule on or off. It still works; newer rule files write
        'override: {enabled: replace}' beside it.
        """
      )
    }
  }
}
