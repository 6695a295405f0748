// SPDX-License-Identifier: Apache-2.0

import Glibc
public import MartletRules
import SystemPackage

/// Reads rule files from disk.
public enum RuleFiles {
  public struct Failure: Error, CustomStringConvertible {
    public let path: String
    public let reason: String
    fileprivate(set) var kind = Kind.rules

    public var description: String { "cannot read \(kind.rawValue) from '\(path)': \(reason)" }
  }

  /// What is looked for in a folder. Rules and their tests may stand side by side.
  public enum Kind: String, Sendable {
    /// Files that end in `.yaml` or `.yml`, but for tests.
    case rules
    /// Files that end in `.test.yaml` or `.test.yml`.
    case tests

    func takes(_ name: String) -> Bool {
      let isTest = name.hasSuffix(".test.yaml") || name.hasSuffix(".test.yml")
      return switch self {
      case .rules: !isTest && (name.hasSuffix(".yaml") || name.hasSuffix(".yml"))
      case .tests: isTest
      }
    }

    fileprivate var endings: String {
      switch self {
      case .rules: "'.yaml' or '.yml'"
      case .tests: "'.test.yaml' or '.test.yml'"
      }
    }
  }

  /// Files as given; folders with everything of that kind below, sorted by path. Links to folders are followed only
  /// where they are named.
  public static func read(_ paths: [String], _ kind: Kind = .rules) throws(Failure) -> [SourceFile] {
    do {
      return try sources(paths, kind)
    } catch {
      throw Failure(path: error.path, reason: error.reason, kind: kind)
    }
  }

  private static func sources(_ paths: [String], _ kind: Kind) throws(Failure) -> [SourceFile] {
    var sources: [SourceFile] = []
    for path in paths {
      let files = try isDirectory(path) ? files(of: kind, below: path) : [path]
      guard !files.isEmpty else {
        throw Failure(path: path, reason: "no file in it ends in \(kind.endings)")
      }
      for file in files { sources.append(SourceFile(path: file, bytes: try contents(of: file))) }
    }
    return sources
  }

  /// What tells whether a file is still the one it was, without reading it. Links are followed, so that a folder is
  /// noticed that is swapped behind one, as for a ConfigMap.
  struct Trace: Equatable {
    let path: String
    let device: UInt64
    let inode: UInt64
    let size: Int64
    /// Seconds and nanoseconds of the last change of its contents, and of what is known about it.
    let times: [Int]
  }

  /// Of the rule files that `read(_:)` would read. What cannot be looked at leaves no trace.
  static func traces(of paths: [String]) -> [Trace] {
    paths.flatMap { path in
      (try? isDirectory(path) ? files(of: .rules, below: path) : [path]) ?? []
    }.compactMap { path in
      var status = stat()
      guard stat(path, &status) == 0 else { return nil }
      return Trace(
        path: path, device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: Int64(status.st_size),
        times: [status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec])
    }
  }

  /// One byte more than the compiler accepts, so that it is the one to say what is too large.
  private static let byteCountMax = Limits().fileBytes + 1
  private static let depthMax = 16

  private static func isDirectory(_ path: String) throws(Failure) -> Bool {
    var status = stat()
    guard stat(path, &status) == 0 else { throw failure(path) }
    return status.st_mode & S_IFMT == S_IFDIR
  }

  private static func files(of kind: Kind, below root: String) throws(Failure) -> [String] {
    var found: [String] = []
    var folders = [(path: root, depth: 0)]
    while let folder = folders.popLast() {
      guard folder.depth <= depthMax else {
        throw Failure(path: folder.path, reason: "folders lie more than \(depthMax) deep")
      }
      guard let listing = opendir(folder.path) else { throw failure(folder.path) }
      defer { closedir(listing) }
      while let entry = readdir(listing) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
          pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name.hasPrefix(".") { continue }
        let path = folder.path.hasSuffix("/") ? folder.path + name : folder.path + "/" + name
        var status = stat()
        guard lstat(path, &status) == 0 else { throw failure(path) }
        if status.st_mode & S_IFMT == S_IFDIR {
          folders.append((path, folder.depth + 1))
        } else if kind.takes(name) {
          found.append(path)
        }
      }
    }
    return found.sorted()
  }

  private static func contents(of path: String) throws(Failure) -> [UInt8] {
    do {
      let file = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec, .nonBlocking])
      defer { try? file.close() }
      var bytes: [UInt8] = []
      var chunk = [UInt8](repeating: 0, count: 64 << 10)
      while bytes.count < byteCountMax {
        let count = try chunk.withUnsafeMutableBytes { try file.read(into: $0) }
        if count == 0 { break }
        bytes += chunk[..<count]
      }
      // A byte order mark is no part of the text, and nothing is counted from it.
      return bytes.starts(with: [0xef, 0xbb, 0xbf]) ? Array(bytes.dropFirst(3)) : bytes
    } catch let error as Errno {
      throw Failure(path: path, reason: "\(error)")
    } catch {
      throw Failure(path: path, reason: "\(error)")
    }
  }

  private static func failure(_ path: String) -> Failure {
    Failure(path: path, reason: "\(Errno(rawValue: errno))")
  }
}
