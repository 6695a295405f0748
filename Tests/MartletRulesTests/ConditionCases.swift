// SPDX-License-Identifier: Apache-2.0

/// What Falco's grammar takes, what it refuses, and where we show the mistake.
enum ConditionCases {
  static let valid: [String] = operands + comparisons + texts + lists + quantifiers + transformers

  private static let operands: [String] = [
    "a", "not a", "not(a)", "a and b or c", "a and(b or c) and d", "a or(b) and c", "(a)and(b)or(c)", "nota",
    "android and order", "notation and a", "(a)", "((a) or (b))", " \t\r\n a \u{8} and\nb ", "a and not\u{b}b",
    "not not a", "not not not a", "not(not(a))", "not not(a)", "not(a)and(not(b))", "a or not not_a", "not\t\n(a)",
    // A macro may have a keyword's name where no keyword can stand.
    "and", "or", "not", "a and and", "not not", "(or) and a", "a and (not)", "not and", "in", "exists and val",
  ]

  private static let comparisons: [String] = [
    "fd.name exists", "fd.name=x", "fd.name = x", "fd.name == x", "fd.name!=x", "fd.num>=0", "fd.num >= -1",
    "fd.num<0x10", "fd.num > 0XaF", "fd.num < +7", "fd.num <= 3.", "evt.rawres<1.5e+3", "a.b > 007",
    "a.b=-1", "a.b = 0x1.zz", "a.b existsand c", "(a.b exists)and c",
    "a.b regex '^a.*$'", "a.b contains\tx", "a.b startswith\nx", "a.b bcontains 00ff", "a.b bstartswith 7f45",
    "a.b endswith .so", "fd.name glob /etc/*", "a.b iglob X", "a.b icontains x", "a.b = not", "a.b = and",
    "a.b.c_d1.e = x", "A.B = x", "a.b[1] = x", "a.b[\"x y\"] exists", "a.b['x'] = y", "a.b[\"\"] = x",
    "a.b[a=b(c),d] = x", "a.b[/etc*] exists", "a.b = '/x'or c", "a.b = \"x\"and c",
  ]

  private static let texts: [String] = [
    "a.b = a!@#456:/\\.;$%^&*[]{}|", "fd.snet=\"10.0.0.0/8\"", "a.b = 'x\\'y\\n\\x41'", "a.b = \"it's\"", "a.b = <NA>",
    "a.b = ''", "a.b = \"\"", "a.b = \"x\\ y\"", "a.b = \"line\nbreak\"", "a.b = '\\b\\f\\n\\r\\t\\\\\\/\\xfF'",
    "a.b = c.d",
    "a.b = x\u{8}y", "a.b = é", "a.b = '\\\\ '", "a.b = oneof", "a.b = >", "a.b=<", "a.b = !x", "a.b = val",
  ]

  private static let lists: [String] = [
    "proc.name in (a, b)", "proc.name in(a,b)", "proc.name in ()", "proc.name in ( )", "proc.name in (\"a b\", 'c')",
    "a.b in shells", "a.b in\nshells and c", "a.b inshells", "a.b intersectsx or c", "a.b in ( a , b )", "a.b in ('')",
    "fd.name pmatch (/etc, /usr)", "fd.name intersects (a)", "a.b pmatch(/)", "a.b in (val)", "a.b in (c.d, 1, -1)",
  ]

  private static let quantifiers: [String] = [
    "a.b contains oneof (a, b)", "a.b = anyof (a)", "a.b startswith allof shells", "a.b != oneof ()",
    "a.b contains oneof and c", "a.b = allof or c", "(a.b = anyof)", "a.b regex anyof ('x.*', y)", "a.b == oneof\t(a)",
  ]

  private static let transformers: [String] = [
    "toupper(a.b) = X", "a.b = toupper(c.d)", "a.b = val(c.d)", "a.b in val(c.d)", "a.b=val( c.d[1] )",
    "a.b < val(c.d)",
    "join(\",\", (a.b, \"x\")) = y", "getopt((a.b), \"lp:\")[p] = 8080", "len(a.b) > 3", "a.b > len(c.d)",
    "concat(a.b, toupper(c.d), 'x') = y", "b64(basename( a.b )) exists", "tolower(\na.b\n) in (x)", "len(()) = 0",
    "join('-', (1, a.b, 0x1f)) = x", "concat(a.b, 5) = x", "len(len(a.b)) = 1", "toupper( b64(a.b[\"x\"]) )exists",
    "a.b pmatch val(c.d)", "a.b bcontains val(c.d)", "a.b = 'toupper(c.d)'", "a.b in tolower((c.d, e.f))",
    "a.b = b64 and c", "a.b = tolower and c",
  ]

  static let invalid: [(String, [String])] = invalidOperands + invalidComparisons + invalidTransformers

  private static let invalidOperands: [(String, [String])] = [
    ("", ["R0030 "]), ("  ", ["R0030   "]), ("a b", ["R0031 b"]), ("a and", ["R0032 "]), ("a orb", ["R0040 or"]),
    ("a and and b", ["R0032 and"]), ("and a", ["R0032 and"]), ("a and or b", ["R0032 or"]), ("a and ", ["R0032 "]),
    ("a not b", ["R0031 not"]), ("a notb", ["R0031 notb"]), ("aand b", ["R0031 b"]), ("a andnot b", ["R0040 and"]),
    ("(a)andnot(b)", ["R0040 and"]), ("not\u{8}a", ["R0032 not"]), ("a\u{c}and b", ["R0031 \u{c}"]),
    ("(a", ["R0033 ("]), ("a)", ["R0031 )"]), ("()", ["R0032 )"]), ("#a", ["R0032 #"]), ("a; b", ["R0031 ;"]),
    ("(a b) and (c d)", ["R0031 b", "R0031 d"]),
    ("a = b", ["R0031 a"]), ("macro > 12 and x.y", ["R0031 macro", "R0036 x.y"]), ("a[1] exists", ["R0031 a"]),
  ]

  private static let invalidComparisons: [(String, [String])] = [
    ("a.b = \"x", ["R0034 \""]), ("a.b = \"\\q\"", ["R0035 \\q"]), ("a.b = \"\\'\"", ["R0035 \\'"]),
    ("a.b = '\\\"'", ["R0035 \\\""]), ("a.b = '\\xg1'", ["R0035 \\x"]), ("a.b = '\\\\'", ["R0034 '"]),
    ("a.b = \"a\u{0}\"", ["R0034 \""]), ("a.b = 'x''", ["R0031 '", "R0034 '"]), ("a.b foo x", ["R0036 foo"]),
    ("a.b", ["R0036 a.b"]),
    ("a.b and c.d", ["R0036 a.b", "R0036 c.d"]), ("a.b =", ["R0037 ="]), ("a.b === x", ["R0037 ="]),
    ("a.b = (x, y) and c.d", ["R0037 (", "R0036 c.d"]), ("a.b = x = y", ["R0031 ="]), ("a.b = x,", ["R0031 ,"]),
    ("a.b in x-y", ["R0038 x-y"]), ("a.b in", ["R0038 in"]), ("a.b in (x y)", ["R0037 y"]),
    ("a.b ExIsTs", ["R0036 ExIsTs"]),
    ("a.b in (x,)", ["R0037 )"]), ("a.b in (,)", ["R0037 ,"]), ("a.b in (x", ["R0033 ("]),
    ("a.b in (toupper(c.d))", ["R0037 ("]),
    ("a.b[] = x", ["R0039 []"]), ("a.b[1 = x", ["R0039 [1"]), ("a.b[ 1 ] = x", ["R0039 ["]),
    ("a.b contains\"x\"", ["R0040 contains"]), ("a.b containsx y", ["R0036 containsx"]), ("a.b inn (c)", ["R0036 inn"]),
    ("a.b < x", ["R0037 x"]), ("a.b < '1'", ["R0037 '"]), ("a.b foo x or c.d bar y", ["R0036 foo", "R0036 bar"]),
    ("a.b = anyof(c)", ["R0031 ("]), ("a.b =oneof (c)", ["R0031 ("]), ("a.b exists something", ["R0031 something"]),
  ]

  private static let invalidTransformers: [(String, [String])] = [
    ("a.b = toupper(c.d", ["R0033 ("]), ("a.b = val()", ["R0037 val"]), ("a.b = val(c)", ["R0037 val"]),
    ("a.b = val(toupper(c.d))", ["R0037 val"]), ("val(a.b) exists", ["R0031 ("]), ("toupper (a.b) = x", ["R0031 ("]),
    ("toupper(a) = x", ["R0037 a"]), ("join(',', ((a.b))) = x", ["R0037 ("]), ("len() = 0", ["R0037 )"]),
    ("a.b = upper(c.d)", ["R0031 ("]), ("a.b in (c, b64(d.e))", ["R0037 ("]),
  ]
}
