// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("measuring code")
struct MeasureTests {
  @Test("comments and literals are blanked and every line stays where it was")
  func blanking() {
    let swift = #"""
      let a = "{ \" }" // {
      /* { /* nested } */ } */ let b = 1
      let c = """
        { "quoted" }
        """
      let d = #"raw \" { "# + ##"a "# b"##
      """#
    let expected = #"""
      let a = "      "
                               let b = 1
      let c = """

        """
      let d = #"         "# + ##"      "##
      """#
    let lines = CodeText.blanked(swift, language: .swift).split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.map { trimmed($0) } == expected.split(separator: "\n", omittingEmptySubsequences: false).map(trimmed))
  }

  @Test("C's character literals and comments are blanked")
  func blankingC() {
    let text = "char a = '{', b = '\\'', *c = \"}\\\"\"; /* { /* } */ int d; // }\n"
    let blanked = CodeText.blanked(text, language: .c)
    #expect(!blanked.contains("{") && !blanked.contains("}"))
    #expect(blanked.contains("int d;") && blanked.count == text.count)
  }

  @Test("Swift functions, initialisers and computed properties are measured from their first line to the last brace")
  func swift() {
    let text = """
      protocol P {
        func required()
        var value: Int { get }
        init()
      }
      struct S {
        var stored = [1, 2].map { $0 + 1 }
        init(
          a: Int
        ) {
          self.init()
        }
        func generic<T>(_ body: () -> T = { 1 })
          -> T where T: P
        {
          body()
        }
        static func == (a: S, b: S) -> Bool { true }
        var computed: Int {
          1
        }
      }
      """
    let measured = FunctionMeasure(CodeText.blanked(text, language: .swift)).swiftFunctions()
    #expect(
      measured == [
        MeasuredFunction(name: "value", line: 3, lineCount: 1),
        MeasuredFunction(name: "init", line: 8, lineCount: 5),
        MeasuredFunction(name: "generic", line: 13, lineCount: 5),
        MeasuredFunction(name: "operator", line: 18, lineCount: 1),
        MeasuredFunction(name: "computed", line: 19, lineCount: 3),
      ])
  }

  @Test("C functions are measured, also those that a macro declares; structures and initialisers are not functions")
  func c() {
    let text = """
      #include "a.h"
      struct s { int a; };
      static const int t[] = { 1, 2 };
      int declared(void);
      static __always_inline int
      first(int a)
      {
        if (a) { return 1; }
        return 0;
      }

      SEC("tp_btf/x")
      int BPF_PROG(second, struct task_struct *task) {
        return 0;
      }
      """
    let measured = FunctionMeasure(CodeText.blanked(text, language: .c)).cFunctions()
    #expect(measured.map(\.lineCount) == [6, 4])
    #expect(measured.map(\.line) == [5, 12])
  }

  private func trimmed(_ line: Substring) -> String {
    String(line.reversed().drop { $0 == " " }.reversed())
  }
}
