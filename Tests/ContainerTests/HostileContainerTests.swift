// SPDX-License-Identifier: Apache-2.0

import ContainerTesting
import Foundation
import Glibc
import Testing

/// A container whose owner chose every text that he may choose, and a runtime that passes them on.
@Suite(
  "hostile containers", .serialized, .timeLimit(.minutes(5)),
  .enabled(if: ContainerSupport.isAvailable, Comment(rawValue: ContainerSupport.missing ?? "")))
struct HostileContainerTests {
  /// What would be a line of its own, if it got out.
  private static let injection = "\"}\n{\"rule\":\"Injected\",\"priority\":\"Emergency\",\"output_fields\":{}}\n"
  private static let long = String(repeating: injection, count: 4096 / injection.utf8.count + 1)

  private static let rules = """
    - rule: Opened
      desc: Whatever is read
      condition: evt.type in (open, openat) and container.id != host and proc.name = cat
      output: >
        %container.name %container.image %container.image.repository %container.labels %container.mounts %fd.name
        %proc.cmdline %proc.args %user.name %user.homedir %k8s.pod.name
      priority: WARNING
    """

  /// As Docker's engine speaks; `raw` puts a byte into the name that no text has.
  private static func answer(isRaw: Bool) throws -> Data {
    let object: [String: Any] = [
      "Name": "/" + long, "Image": "sha256:" + String(repeating: "a", count: 64),
      "Config": ["Image": long, "Labels": ["io.kubernetes.pod.name": long, injection: long]],
      "HostConfig": ["Privileged": false],
      "Mounts": [["Source": long, "Destination": injection, "Mode": "\u{0}", "RW": true, "Propagation": injection]],
      "State": ["StartedAt": "2026-01-01T00:00:00Z"],
    ]
    var body = try JSONSerialization.data(withJSONObject: object)
    if isRaw, let name = body.range(of: Data("Injected".utf8)) { body[name.lowerBound] = 0xff }
    return body
  }

  @Test("whatever it calls itself, each line is one alert and holds what it should", arguments: [false, true])
  func texts(isRaw: Bool) throws {
    let folder = try TestFolder()
    let runtime = try FakeEngine(at: folder.path + "/docker.sock", answer: Self.answer(isRaw: isRaw))
    try RuncContainer.with(cgroupPath: .docker()) { container in
      var passwords = Data([0xff, 0xfe]) + Data(#"{"rule":"Injected"}"#.replacing(":", with: ";").utf8)
      passwords += Data(":x:0:0::\u{1b}[2J\":/bin/sh\n".utf8) + Data(Self.long.utf8)
      try passwords.write(to: URL(fileURLWithPath: container.hostPath("/etc/passwd")))
      let agent = try AgentProcess(
        ["run", "-r", folder.write("rules.yaml", Self.rules), "--runtime", "docker:\(runtime.path)"])
      try agent.waitUntilReady()
      // A name that is no text, with everything that ends one somewhere.
      let script = #"f="/tmp/$(printf 'a\377\n"}\n{\001')"; touch "$f"; cat "$f" "$(printf '\n{"rule":"Injected"}')""#
      // Other containers of this machine have their own.
      func isOurs(_ alert: ArrivedAlert) -> Bool {
        alert.rule == "Opened" && alert.field("container.id") == String(container.id.prefix(12))
          && alert.field("fd.name")?.contains("/tmp/") == true
      }
      func opened() throws -> ArrivedAlert {
        let count = agent.printed.compactMap(ArrivedAlert.init).count(where: isOurs)
        _ = try container.exec(["sh", "-c", script])
        return try #require(try agent.alerts(count: count + 1, matching: isOurs).last)
      }
      var alert = try opened()
      let deadline = Deadline.untilHung
      while !isRaw, alert.field("container.name") == nil, !deadline.hasPassed { alert = try opened() }
      #expect(try agent.terminate() == .exited(0))

      #expect(alert.field("fd.name") == "/tmp/a\u{fffd}\n\"}\n{\u{1}")
      #expect(alert.field("user.name") == #"\#u{fffd}\#u{fffd}{"rule";"Injected"}"#)
      #expect(alert.field("user.homedir") == "\u{1b}[2J\"")
      if isRaw {
        #expect(alert.field("container.name") == nil, "an answer that is no JSON is none")
      } else {
        for name in ["container.name", "container.image", "k8s.pod.name"] {
          let text = try #require(alert.field(name))
          #expect(text.utf8.count <= 1024 && Self.long.hasPrefix(text), "\(name)")
        }
        #expect(try #require(alert.field("container.labels")).utf8.count <= 16 << 10)
        #expect(try #require(alert.field("container.mounts")).utf8.count <= 16 << 10)
      }
      for line in agent.printed {
        let object = try #require(
          try JSONSerialization.jsonObject(with: Data(line.text.utf8)) as? [String: Any], "\(line.text)")
        // The agent says itself who asked it to end.
        #expect(object["rule"] as? String == "Opened" || object["source"] as? String == "internal")
        #expect(line.text.utf8.count < 256 << 10)
      }
    }
  }
}

/// Answers every request at a socket with the same words, one connection after the other.
private final class FakeEngine: @unchecked Sendable {
  let path: String
  private let listener: Int32

  init(at path: String, answer: Data) throws {
    self.path = path
    listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let isListening = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0 && listen(listener, 16) == 0
      }
    }
    guard isListening else { throw HarnessError("nobody can listen at \(path)") }
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(answer.count)\r\n\r\n"
    let words = Data(head.utf8) + answer
    let thread = Thread { [listener] in
      while case let connection = accept(listener, nil, nil), connection >= 0 {
        var request = [UInt8](repeating: 0, count: 4096)
        _ = read(connection, &request, request.count)
        _ = words.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        close(connection)
      }
    }
    thread.start()
  }

  deinit { shutdown(listener, Int32(SHUT_RDWR)) }
}
