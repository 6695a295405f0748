// SPDX-License-Identifier: Apache-2.0

import MartletEvents
import Testing

@testable import MartletCapture

@Suite("Whom to believe about names")
struct ResolverListTests {
  @Test(
    "the nameservers of a resolv.conf",
    arguments: [
      ("nameserver 10.96.0.10\n", ["10.96.0.10"]),
      (
        "search a.example\nnameserver 127.0.0.53\nnameserver\tfd00::10 # x\noptions edns0\n",
        ["127.0.0.53", "fd00::10"]
      ),
      ("# nameserver 192.0.2.1\n;nameserver 192.0.2.2\nnameservers 192.0.2.3\n", []),
      ("nameserver fe80::1%eth0\nnameserver x\nnameserver\n", []), ("", []),
      ("nameserver 192.0.2.1\r\n", ["192.0.2.1"]),
    ] as [(String, [String])])
  func configuration(text: String, addresses: [String]) {
    #expect(ResolverList.addresses(inConfiguration: text).map(\.description) == addresses)
  }

  @Test("their addresses take sixteen bytes each, and no more of them than there is room for")
  func bytes() throws {
    let v4 = try #require(IPAddress(text: "10.96.0.10")), v6 = try #require(IPAddress(text: "fd00::10"))
    let bytes = ResolverList(configured: [v4, v6]).read()
    let mapped: [UInt8] = Array(repeating: 0, count: 10) + [0xff, 0xff, 10, 96, 0, 10]
    #expect(bytes.prefix(32).elementsEqual(mapped + [0xfd] + Array(repeating: 0, count: 14) + [0x10]))
    let many = ResolverList(configured: Array(repeating: v4, count: 100)).read()
    #expect(many.count == ResolverList.byteCountMax)
  }
}
