// SPDX-License-Identifier: Apache-2.0

import MartletEvents

/// All of many folders that a path lies in or is, as `pmatch` asks: a trie over their components, without globs.
///
/// A path that lies nowhere costs one look at its first component.
struct FolderIndex {
  /// By hash of folder and component: the node, 0 for none. At most half full.
  private let slots: UnsafeBufferPointer<UInt32>
  /// The first is the root.
  private let nodes: UnsafeBufferPointer<Node>
  private let places: UnsafeBufferPointer<UInt32>

  private struct Node {
    var parent: UInt32
    var component: ByteView
    /// The places that this folder leads to.
    var first: UInt32 = 0
    var count: UInt32 = 0
  }

  init(_ items: [(text: ByteView, place: UInt32)], in arena: PlanArena) {
    var nodes = [Node(parent: 0, component: .empty)]
    var children: [[UInt8]: UInt32] = [:]
    var lists: [[UInt32]] = [[]]
    for (folder, place) in items {
      var node: UInt32 = 0
      var position = 0
      var path: [UInt8] = []
      while let component = PathPrefix.nextComponent(folder, &position) {
        path += [UInt8(ascii: "/")] + component.array
        if let known = children[path] {
          node = known
        } else {
          nodes.append(Node(parent: node, component: component))
          lists.append([])
          node = UInt32(nodes.count - 1)
          children[path] = node
        }
      }
      lists[Int(node)].append(place)
    }
    var places: [UInt32] = []
    for (node, list) in lists.enumerated() {
      (nodes[node].first, nodes[node].count) = (UInt32(places.count), UInt32(list.count))
      places += list
    }
    var slotCount = 8
    while slotCount < nodes.count * 2 { slotCount *= 2 }
    var slots = [UInt32](repeating: 0, count: slotCount)
    for (index, node) in nodes.enumerated().dropFirst() {
      var slot = Self.hash(node.parent, node.component) & (slotCount - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (slotCount - 1) }
      slots[slot] = UInt32(index)
    }
    self.slots = arena.keep(slots)
    self.nodes = arena.keep(nodes)
    self.places = arena.keep(places)
  }

  func collect(_ path: ByteView, into found: inout PlaceList) {
    append(0, to: &found)
    var node: UInt32 = 0
    var position = 0
    while let component = PathPrefix.nextComponent(path, &position), let child = child(of: node, component) {
      append(child, to: &found)
      node = child
    }
  }

  private func append(_ node: UInt32, to found: inout PlaceList) {
    let node = nodes[Int(node)]
    for index in Int(node.first)..<Int(node.first + node.count) { found.append(places[index]) }
  }

  private func child(of node: UInt32, _ component: ByteView) -> UInt32? {
    var slot = Self.hash(node, component) & (slots.count - 1)
    while slots[slot] != 0 {
      let child = nodes[Int(slots[slot])]
      if child.parent == node, child.component == component { return slots[slot] }
      slot = (slot + 1) & (slots.count - 1)
    }
    return nil
  }

  private static func hash(_ node: UInt32, _ component: ByteView) -> Int {
    Int(truncatingIfNeeded: component.quickHash &+ UInt64(node) &* 0x9e37_79b9_7f4a_7c15)
  }
}
