// SPDX-License-Identifier: Apache-2.0

public import MartletEvents
public import MartletState

extension GivenEvent {
  /// An open as State would show it. `spelled`: absolute and normalised; `resolved`: nil for one that failed.
  public convenience init(
    open type: EventType, _ kind: OpenClass, spelled: [UInt8], resolved: [UInt8]?, program: [UInt8], user: UInt32
  ) {
    let isCreat = type == .creat
    let lastSlash = spelled.lastIndex(of: UInt8(ascii: "/"))
    let directory = kind.isDirectory ? spelled : Array(spelled[..<max(lastSlash ?? 0, 1)])
    var values: [Key: Value] = [
      .init(.fdNumber): .signed(kind.isOpened ? 3 : -1), .init(.eventRawResult): .signed(kind.isOpened ? 3 : -2),
      .init(.eventResult): .text(Array((kind.isOpened ? "SUCCESS" : "ENOENT").utf8)),
      .init(.fdTypeChar): .text(Array((kind.isDirectory ? "d" : "f").utf8)),
      .init(.eventIsOpenRead): .boolean(!isCreat && [0, 2].contains(kind.access)),
      .init(.eventIsOpenWrite): .boolean(!isCreat && [1, 2].contains(kind.access)),
      .init(.containerID): .text(Array((kind.isContainer ? "4f1c9e0b2a77" : "host").utf8)),
      .init(.fdName): .text(spelled), .init(.fdNameRaw): .text(spelled), .init(.fdDirectory): .text(directory),
      .init(.processName): .text(program), .init(.userID): .unsigned(UInt64(user)),
    ]
    if let resolved {
      values[.init(.fdRealPath)] = .text(resolved)
      values[.init(.fdFilename)] = .text(Array(spelled[((lastSlash ?? -1) + 1)...]))
    }
    self.init(type, values)
  }
}
