// SPDX-License-Identifier: Apache-2.0

/// Texts for the YAML reader.
enum YAMLCases {
  static let valid: [String] = [
    "", "# nothing\n", "---\n", "--- a\n", "a: 1\n", "- a\n- b\n", "- a: 1\n  b: 2\n- c\n",
    "a:\n- 1\n- 2\nb: 3\n", "a:\n  - 1\n  - 2\nb: 3\n", "- - a\n  - b\n- c\n", "- - - a\n", "-\n  a: 1\n-\n  - b\n",
    "a: [1, 2,\n  3]\nb: {c: d, e: [f]}\n", "a: [\n  1,\n  2,\n  ]\nb: 1\n", "a: []\nb: {}\n", "[a, b]\n",
    "a: [x y, z]\n",
    "a: one\n  two\n\n  three\n\n\n  four\nb: x\n", "a: b # comment\nc: d#no comment\n", "a: http://x:80/y\n",
    "a: 'it''s'\nb: \"q\\\"q\\n\\t\\x41\\u00e9\"\n", "a: 'one\n  two\n\n  three'\n",
    "a: \"one\n  two\\\n  three \\\n  four\"\n",
    "a: |\n  one\n  two\nb: 1\n", "a: |-\n  one\n\n  two\n\nb: 1\n", "a: |+\n  one\n\n\nb: 1\n",
    "a: >\n  one\n  two\n\n  three\n   four\n  five\n",
    "a: >-\n  one\n  two\n", "a: >+\n  one\n\n", "a: >2\n   one\n  two\n", "a: |1\n  one\n two\n",
    "- a: >\n    one\n    two\n  b: c\n",
    "a: >\n\n  one\n  two\n", "a: >\nb: 1\n", "a: |\n  one", "a: > # why\n  one\n", "a:\n  b:\n    c: d\n  e: f\n",
    "a: &x [1, 2]\nb: *x\n", "- &x a\n- *x\n", "a: &x\n  b: c\nd: *x\n", "a: !!str 1\nb: !foo bar\n",
    "a: 1\n---\nb: 2\n...\n---\nc: 3\n", "--- |\n one\n", "%YAML 1.1\n---\na: 1\n", "\u{feff}a: 1\n",
    "a: 1\r\nb: >\r\n  one\r\n  two\r\n\r\nc: 'x\r\n  y'\r\n", "é: ü\nb: [ö]\n", "\"a b\": c\n'd': e\n", "a : b\n",
    "a: -1\nb: ?x\nc: :y\n", "a: x\n\n\n# c\n\nb: y\n", "a: b:c\n", "a:\n\n  b\n",
    "a: >\n  one\n # less\nb: 1\n", "- a\n# comment\n- b\n  # comment\n- c\n", "a: {b: , c: d}\n", "a: {\"b\":1}\n",
    "a:\n", "- \n- a\n",
    "a: x # c\n  # d\nb: y\n", "a: >\n    one\n   \n    two\n", "a: |\n  one\n \n\n  two\n",
    "- rule: x\n  condition: >\n    a and\n    b\n  tags: [a, b]\n- rule: y\n", "a: x\ty\n", "a: 'x'\nb: \"\"\nc: ''\n",
    "a: one two\n   three\nb: 1\n", "a: '  one \n   two  '\n", "a: |2-\n    one\n", "a: \"*b\"\n",
    "? a\n: b\n", "a: [b: c]\n",
  ]

  static let invalid: [String] = [
    "a: b: c\n", "a: - b\n", "a: [1, 2\n", "a: {b: c\n", "a: 'x\n", "a: \"x\n", "a: 1\n   b: 2\n", "- a\n b\n- c: [\n",
    "a: 1\nb\n",
    "a: @x\n", "a: `x\n", "a: %x\n", "a: \"\\q\"\n", "a: *x\n", "a: 1\n- b\n", "- a\nb: 1\n", "a: > x\n",
    "a: |0\n  x\n",
    "[a]: b\n", "a: 'x' y\n", "a: [1] 2\n", "a: one\n  two: three\n", "a: \"\\x4\"\n",
    "a: \"\\ud800\"\n", "a: ]\n", "a: , b\n", "&x *y\n", "a: -\n", "a:\n\tb: 1\n", "a:\n  \t- b\n",
  ]

  /// A text, how the file goes on from the place that is shown, and the message.
  static let shown: [(String, String, String)] = [
    ("a: b: c\n", ": c", "a ': ' where no key can stand"),
    ("a: one\n  two: three\n", ": three", "a ': ' where no key can stand"),
    ("a: @x\n", "@x", "a text cannot begin with '@'"),
    ("a: [1, 2\n", "[1", "the file ends inside '[…'"),
    ("a: {b: c\n", "{b", "the file ends inside '{…'"),
    ("a: 'x\n", "'x", "the file ends inside a quoted text"),
    ("a: 1\nb\n", "b", "expected 'key: value'"),
    ("a: *x\n", "*x", "no anchor of this name stands before it"),
    ("a: 1\n- b\n", "- b", "this line does not go on with the mapping around it"),
    ("- a\nb: 1\n", "b: 1", "this line does not go on with the list around it"),
    ("a: - b\n", "- b", "a list cannot begin on the line of its key"),
    ("a: > x\n", "x", "text on the line of '>' or '|'"),
    ("a: \"é\\q\"\n", "\\q", "an escape that YAML does not know"),
    ("a: b\nc: d\na: e\n", "a: e", "key 'a' stands twice in one item"),
  ]

  static let mapped: [String] = [
    "a: one two thrée\n", "a: one\n  two\n\n  thrée # x\n", "a: 'one two x''y thrée'\n", "a: 'one\n  two\n  x''y'\n",
    "a: \"one two f\\\"r f\\xfcnf\"\n", "a: \"one\\\n   two thr\\u00e9e\"\n",
    "a: >\n  one\n  two\n\n   thrée\n  f\"r\n",
    "a: |\n  one\n  two\n  thrée x'y\n", "a: >2\n    one\n  two\n", "é: one é two\n",
    "a: >\r\n  one\r\n  two thrée\r\n",
    "a: |+\n\n\n  one\n\n  two\n\n", "a: &x !!str one two\n", "\u{feff}a: one\n", "a: two",
  ]
}
