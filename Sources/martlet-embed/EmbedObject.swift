// SPDX-License-Identifier: Apache-2.0

import Glibc

#if arch(x86_64)
  let architecture = (macro: "x86", includeFolder: "/usr/include/x86_64-linux-gnu")
#elseif arch(arm64)
  let architecture = (macro: "arm64", includeFolder: "/usr/include/aarch64-linux-gnu")
#else
  #error("the probe knows no system call numbers for this architecture")
#endif

/// Compiles a BPF source with macros defined, and writes it as a string in base64.
func embedObject(
  compiler: String, objectCopier: String, source: String, definitions: [String], name: String, output: String
) throws {
  let folder = String(source[..<(source.lastIndex(of: "/") ?? source.startIndex)])
  let object = output + ".o"
  // Paths relative to the sources, so that the same sources give the same bytes wherever they lie.
  let command = [
    compiler, "-target", "bpf", "-mcpu=v3", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter",
    "-Wno-missing-field-initializers", "-ffile-prefix-map=\(folder)=bpf", "-ffile-compilation-dir=bpf",
    "-D__TARGET_ARCH_\(architecture.macro)", "-idirafter", architecture.includeFolder, "-c", source, "-o", object,
  ]
  try run(command + definitions.map { "-D\($0)" })
  // The relocations of type information serve linkers; libbpf takes the values that stand there already.
  try run([
    objectCopier, "--strip-debug", "--remove-section=.rel.BTF", "--remove-section=.rel.BTF.ext",
    "--remove-section=.llvm_addrsig", object,
  ])
  try embedBytes(name: name, file: object, output: output)
}

/// Runs a program to its end; throws when it fails. What it prints goes where our output goes.
private func run(_ arguments: [String]) throws {
  var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
  defer { pointers.forEach { free($0) } }
  var child: pid_t = 0
  let code = posix_spawn(&child, arguments[0], nil, nil, &pointers, nil)
  guard code == 0 else { throw EmbedError("cannot run '\(arguments[0])': \(String(cString: strerror(code)))") }
  var status: Int32 = 0
  while waitpid(child, &status, 0) < 0 && errno == EINTR {}
  guard status == 0 else { throw EmbedError("'\(arguments[0])' failed: \(arguments.joined(separator: " "))") }
}
