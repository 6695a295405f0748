// SPDX-License-Identifier: Apache-2.0

/// Explanations of what can be wrong inside conditions and outputs.
extension DiagnosticCode {
  var syntaxText: (title: String, explanation: String) {
    switch self {
    case .emptyCondition:
      (
        "empty condition",
        "The condition has nothing but blanks. A rule that should never fire is written as 'evt.num = 0'."
      )
    case .unexpectedText:
      (
        "unexpected text",
        """
        After a complete test only 'and', 'or', ')' or the end can follow. Values with blanks, commas, quotes,
        parentheses or '=' need quotes around them.
        """
      )
    case .expectedOperand:
      (
        "test expected",
        """
        A test, the name of a macro, 'not' or a parenthesis has to stand here. Often an 'and' or 'or' is left over, or
        a value that begins with a digit or sign stands on the left of an operator.
        """
      )
    case .unclosedParenthesis:
      (
        "unclosed parenthesis",
        "An opening parenthesis has no closing one. The one shown is the innermost that is still open at the end."
      )
    case .unclosedQuote:
      (
        "unclosed quote",
        """
        A quoted text does not end. As in Falco a quote behind a backslash never closes a text, so that a text cannot
        end in a backslash; write the backslash as '\\x5c'.
        """
      )
    case .invalidEscape:
      (
        "unknown escape",
        """
        In quoted texts a backslash begins an escape: \\b \\f \\n \\r \\t \\\\ \\/ \\xHH, and the quote itself. Without
        quotes a backslash is a plain character.
        """
      )
    default: operatorText
    }
  }

  private var operatorText: (title: String, explanation: String) {
    switch self {
    case .unknownOperator:
      (
        "operator missing or unknown",
        """
        Behind a field stands an operator: = == != < <= > >= in intersects pmatch contains icontains startswith
        endswith glob iglob regex bcontains bstartswith exists. A truth value is compared, too: 'evt.is_open_read = true'.
        """
      )
    case .expectedValue:
      (
        "value expected",
        """
        The operator needs a value on its right: a text or, behind < <= > >=, a number. Several values stand in
        parentheses behind 'in', separated by commas.
        """
      )
    case .expectedList:
      (
        "list expected",
        "'in', 'intersects' and 'pmatch' take a list in parentheses, also if it has one value or is the name of a list."
      )
    case .invalidArgument:
      (
        "unreadable brackets",
        "Brackets behind a field hold an index or a key, such as 'proc.aname[2]'; a key with blanks needs quotes."
      )
    case .missingBlank:
      (
        "blank missing",
        "Operators that are words need a blank behind them; 'and', 'or' and 'not' may also be followed by '('."
      )
    default:
      (
        "unreadable output",
        """
        In an output '%' begins a field, with an optional width before its name: '%proc.name', '%20fd.name'. A '%' of
        its own cannot be written, and a width is at most \(OutputReader.widthMax).
        """
      )
    }
  }

  var nameText: (title: String, explanation: String) {
    switch self {
    case .unknownField:
      (
        "unknown field",
        "No field has this name. Case matters. 'martlet fields' lists all fields with their types and meanings."
      )
    case .undefinedMacro:
      (
        "undefined macro",
        """
        A name alone is a macro, and no macro of this name is defined in the files that were given. Rules see macros of
        all files; macros see those defined before them.
        """
      )
    case .undefinedList:
      (
        "no such list",
        """
        A bare name stands where a list should, and no list of this name is defined: the name itself is compared. If one
        value is meant, write it as '(value)'.
        """
      )
    case .macroBeforeDefinition:
      (
        "macro used before its definition",
        """
        A macro sees only macros that are defined before it, in this file or an earlier one. Rules see all of them.
        """
      )
    case .macroLoop:
      (
        "macro defined by itself",
        "A macro uses itself, directly or through others, so that expanding it would never end. Break the circle."
      )
    case .unknownEventType:
      (
        "unknown event type",
        """
        'evt.type' is compared with something that is neither an event nor a system call. Names that exist but are not
        captured by Martlet are accepted: a test for them is never true.
        """
      )
    case .unknownSource:
      (
        "unknown event source",
        """
        Martlet has one source of events, 'syscall', which is also what a rule without 'source' gets. The rule is left
        out, and nothing else in it is looked at.
        """
      )
    default: indexText
    }
  }

  private var indexText: (title: String, explanation: String) {
    switch self {
    case .unexpectedIndex:
      (
        "brackets that do not belong",
        "The field has one value and takes nothing in brackets. 'martlet fields' says which fields take an index."
      )
    case .invalidIndex:
      (
        "index is no number",
        "The brackets of this field take a number: in 'proc.aname[2]' the number of generations to go back."
      )
    case .unknownArgument:
      (
        "unknown argument of a field",
        """
        What stands behind the dot is no parameter of any event: 'evt.arg.flags' is one, and so is 'evt.rawarg.res'.
        Behind 'evt.type.is.' the name of an event is expected.
        """
      )
    case .missingArgument:
      (
        "field without its argument",
        """
        The field is nothing by itself: write which part is meant, as in 'evt.arg.flags', 'container.label[app]' or
        'container.mount.dest[/etc]'. 'martlet fields' says what each takes.
        """
      )
    case .nothingToAmend:
      (
        "nothing to append to or override",
        """
        'append' and 'override' change a definition that was made before, in this file or an earlier one, and there is
        none of this name. Check the name, and the order of the files.
        """
      )
    case .otherSource:
      (
        "defined again with another source",
        """
        A rule of this name is defined already, for events of another source. A definition can replace one of the same
        source only; give one of the rules another name.
        """
      )
    case .nothingSelected:
      (
        "no rule to switch",
        """
        '--enable' and '--disable' take a rule's whole name, with '*' for anything, or 'tag:NAME'. No rule in the files
        fits this one, so that it switches nothing. Case matters.
        """
      )
    default:
      (
        "plugin not available",
        """
        The file needs a plugin of Falco's. Martlet has what the container plugin offers built in, and no other.
        """
      )
    }
  }
}
