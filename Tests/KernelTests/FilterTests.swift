// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import Glibc
import MartletCapture
import MartletEvents
import MartletTesting
import Testing

extension KernelTests {
  @Suite("Filter")
  struct FilterTests {
    /// A filter that asks for names on every open.
    private func filter(_ tests: [NameTest]) -> KernelFilter {
      var filter = KernelFilter.none
      filter.opens = OpenFilter(
        verdicts: Array(repeating: .testNames, count: OpenClass.count),
        names: Dictionary(uniqueKeysWithValues: tests.map { ($0, UInt32.max) }))
      return filter
    }

    private func configuration(_ filter: KernelFilter, marks: Bool = false) -> CaptureConfiguration {
      var configuration = CaptureConfiguration.withoutSeed
      configuration.filter = filter
      configuration.marksUnwanted = marks
      return configuration
    }

    private func name(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test("what no rule can match stays in the kernel, counted; what one may match is told")
    func drops() throws {
      let folder = try Folder()
      let wanted = try folder.file("wanted")
      let model = try folder.file("a.safetensors")
      let other = try folder.file("other")
      let link = folder.link("link", to: wanted)
      let spelled = folder.link("spelled-name", to: other)
      let recorder = try Recorder(
        configuration(
          filter([.component(name("wanted")), .suffix(name("etensors")), .component(name("spelled-name"))]
          )))
      let actor = try Actor(
        "openat", wanted, "openat", model, "openat", other, "openat", link, "openat", spelled, "chdir", folder.path,
        "openat", "other", "openat", "wanted", "openat", "./other", "openat",
        "../\(folder.path.split(separator: "/").last ?? "")/other")
      recorder.record(untilEndOf: actor.process)
      actor.finish()
      let names = recorder.records(of: .open, by: actor.process).map { $0.bytes($0.open.pointee.name).string }
      #expect(names.filter { $0.hasPrefix(folder.path) } == [wanted, model, link, spelled])
      // A relative name that is the file's is judged with it; one that is not normalised passes.
      #expect(names.contains("wanted") && !names.contains("other") && names.contains("./other"))
      let hook = try #require(recorder.source.settledStatistics().hooks[.open])
      #expect(hook.filtered > 0 && hook.seen == hook.filtered + hook.delivered + hook.lost)
    }

    @Test("the class of an open: how it was opened, what it is, where it happens")
    func classes() throws {
      let folder = try Folder()
      let file = try folder.file("file")
      var filter = KernelFilter.none
      filter.opens.verdicts = OpenClass.allCases.map { $0.isContainer && $0.isOpened && $0.access == 1 ? .pass : .drop }
      let recorder = try Recorder(configuration(filter))
      let first = try Actor(
        "openat", file, "open", folder.path, "openat", "\(folder.path)/missing", "creat", file, "wait")
      #expect(first.awaitWaiting())
      let second = try Actor("creat", file, "wait")
      #expect(second.awaitWaiting())
      recorder.record(until: "the file that is written") {
        $0.kind == .open && $0.common.pointee.process_id == UInt32(second.process)
      }
      #expect(recorder.records(of: .open, by: first.process).map(\.type) == [.creat])
      // Now its cgroups are known to be no container's.
      let common = try #require(recorder.records(of: .open, by: second.process).first).common.pointee
      recorder.source.noteHostCgroup(id: common.cgroup_id, hierarchy: 0)
      recorder.source.noteHostCgroup(id: common.cgroup_v1_id, hierarchy: 1)
      let third = try Actor("creat", file)
      recorder.record(untilEndOf: third.process)
      #expect(recorder.records(of: .open, by: third.process).isEmpty)
      [first, second, third].forEach { $0.finish() }
    }

    @Test("whose open it is, by the effective user id at the time")
    func users() throws {
      let folder = try Folder()
      let (asRoot, asUser) = (try folder.file("as-root"), try folder.file("as-user"))
      let recorder = try Recorder(configuration(filter([.user(1000...1000), .component(name("as-nobody"))])))
      let actor = try Actor("openat", asRoot, "call", "setuid", "#1000", ":", "openat", asUser)
      recorder.record(untilEndOf: actor.process)
      actor.finish()
      let opens = recorder.records(of: .open, by: actor.process)
      #expect(opens.allSatisfy { $0.common.pointee.user_id == 1000 })
      // As an error, too: of this folder others may see nothing.
      #expect(opens.contains { $0.bytes($0.open.pointee.name).string == asUser })
    }

    @Test("calls of processes that no rule asks about stay in the kernel, but for those that change what is known")
    func actors() throws {
      let folder = try Folder()
      var filter = KernelFilter.none
      filter.actors[.mkdir] = .host
      filter.actors[.rmdir] = .containers
      filter.actors[.chdir] = []
      let recorder = try Recorder(configuration(filter))
      let name = "\(folder.path)/new"
      let actor = try Actor("call", "mkdir", name, "#493", ":", "chdir", folder.path, "call", "rmdir", name, ":")
      recorder.record(untilEndOf: actor.process)
      actor.finish()
      // In no cgroup that is known to be the host's, so it counts as a container's.
      let types = recorder.records(of: .call, by: actor.process).compactMap(\.type)
      #expect(types.filter { [.mkdir, .chdir, .rmdir].contains($0) } == [.chdir, .rmdir])
      let hook = try #require(recorder.source.settledStatistics().hooks[.call])
      #expect(hook.filtered > 0 && hook.seen == hook.filtered + hook.delivered + hook.lost)
    }

    @Test(
      "it drops no open that the filter lets through: random names, links, folders",
      arguments: 1...10 as ClosedRange<UInt64>)
    func soundness(seed: UInt64) throws {
      var generator = SeededGenerator(seed: seed)
      let folder = try Folder()
      let words = [
        "a", "bb", "secret", "x.pem", "a-name-of-more-than-eight", "a-name-of-more-than-sixteen-bytes", "site-packages",
        "dots..", "dots-at-the-end-of-a-long-name..",
      ]
      let inner = folder.folder("inner")
      for word in words { _ = try folder.file("inner/\(word)") }
      for word in words { _ = folder.link("link-\(word)", to: "\(inner)/\(word)") }
      _ = folder.link("folder-link", to: inner)
      func pick(_ list: [String]) -> String { list[Int.random(in: list.indices, using: &generator)] }
      let tests = (0..<Int.random(in: 1...3, using: &generator)).map { _ -> NameTest in
        let word = pick(words + ["link-secret", "folder-link", "inner", "tmp", "link-x.pem"])
        if Int.random(in: 0...5, using: &generator) == 0 { return .dots }
        return Bool.random(using: &generator)
          ? .component(name(word)) : .suffix(Array(name(word).suffix(Int.random(in: 1...8, using: &generator))))
      }
      let kernelFilter = filter(Array(Set(tests)))
      let recorder = try Recorder(configuration(kernelFilter, marks: true))
      var verbs: [String] = []
      for _ in 0..<60 {
        let word = pick(words)
        if Int.random(in: 0...9, using: &generator) == 0 {
          verbs += ["chdir", pick([folder.path, inner, "/tmp", "/"])]
        }
        verbs += [
          "openat",
          pick([
            "\(inner)/\(word)", "\(folder.path)/link-\(word)", "\(folder.path)/folder-link/\(word)", word,
            "inner/\(word)",
            "./\(word)", "\(inner)//\(word)", "\(inner)/../inner/\(word)", "/proc/self/root\(inner)/\(word)",
            "\(inner)/no-\(word)", inner, "\(inner)/", "../\(word)", "folder-link/\(word)",
          ]),
        ]
      }
      let actor = try Actor(verbs)
      recorder.record(untilEndOf: actor.process)
      actor.finish()
      var markedCount = 0
      for record in recorder.records(of: .open, by: actor.process) {
        guard record.has(flag: MARTLET_FLAG_UNWANTED) else { continue }
        markedCount += 1
        let open = record.open.pointee
        let kind = OpenClass(
          isContainer: true, isOpened: open.result >= 0,
          isDirectory: open.inode_mode & UInt32(S_IFMT) == UInt32(S_IFDIR),
          access: Int(open.open_flags & 3))
        let spelled = record.bytes(open.name).string
        let start = record.bytes(open.directory).string
        let names = [
          record.bytes(open.path).string, normalised(spelled.hasPrefix("/") ? spelled : "\(start)/\(spelled)"),
        ]
        #expect(
          !kernelFilter.opens.passes(kind, names: names.map { name($0) }, program: [], user: 0),
          "seed \(seed): \(names), \(tests)")
      }
      #expect(markedCount > 0, "a filter that drops nothing is no test")
    }

    private func normalised(_ path: String) -> String {
      var components: [Substring] = []
      for component in path.split(separator: "/") where component != "." {
        if component == ".." { _ = components.popLast() } else { components.append(component) }
      }
      return "/" + components.joined(separator: "/")
    }
  }
}
