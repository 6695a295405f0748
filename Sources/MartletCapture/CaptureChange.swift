// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import CMartletBPF

/// Another configuration for a source that runs, ready to be adopted.
///
/// Whatever is left of it when it is let go, adopted or not, is taken out of the kernel, which waits for programs that run:
/// better not on the thread that takes events.
public final class CaptureChange: @unchecked Sendable {
  /// What has to change in the kernel for it.
  public enum Extent: Sendable {
    case nothing
    /// The data that the programs filter by.
    case filter
    /// The programs: they were loaded anew.
    case programs
  }

  public let extent: Extent
  let configuration: CaptureConfiguration
  /// The loaded programs; after the adoption those they took over from.
  let successor: OpaquePointer?
  fileprivate let filter: UnsafeMutablePointer<martlet_filter>?
  /// The successor has the source's rings.
  private let source: KernelSource

  fileprivate init(
    _ extent: Extent, _ configuration: CaptureConfiguration, successor: OpaquePointer? = nil,
    filter: UnsafeMutablePointer<martlet_filter>?, of source: KernelSource
  ) {
    self.extent = extent
    self.configuration = configuration
    self.successor = successor
    self.filter = filter
    self.source = source
  }

  deinit {
    martlet_probe_destroy(successor)
    filter?.deallocate()
  }
}

extension KernelSource {
  /// Prepares to watch by another configuration: its event types, its filter, which models it tells, whether it includes
  /// environments, missing programs and names of addresses. All else stays as the source was made.
  ///
  /// The source goes on meanwhile. From any thread, once the source has started; each change has to be let go before the
  /// next one is prepared.
  public func prepare(_ wanted: CaptureConfiguration) throws(CaptureError) -> CaptureChange {
    var next = configuration
    next.eventTypes = wanted.eventTypes
    next.filter = wanted.filter
    next.includesEnvironment = wanted.includesEnvironment
    next.includesMissingPrograms = wanted.includesMissingPrograms
    next.includesNames = wanted.includesNames
    next.models = wanted.models
    let models = try next.models.map { (names) throws(CaptureError) in
      try UnsafeMutablePointer<martlet_model_names>(encoding: names)
    }
    defer { models?.deallocate() }
    let filter = next.filter.map { UnsafeMutablePointer<martlet_filter>(encoding: $0) }
    guard configuration.needsOtherPrograms(than: next) else {
      return CaptureChange(next.filter == configuration.filter ? .nothing : .filter, next, filter: filter, of: self)
    }
    var error = martlet_probe_error()
    var options = martlet_probe_options(next, cgroups: cgroups, cgroup: cgroup, filter: filter, models: models)
    var successor: OpaquePointer?
    guard object.withImage({ martlet_probe_prepare(probe, &options, $0, &successor, &error) }) == 0 else {
      filter?.deallocate()
      throw CaptureError(error, code: .refused)
    }
    return CaptureChange(.programs, next, successor: successor, filter: filter, of: self)
  }

  /// From now on, what happens is told by the new configuration; what has happened was told by the old one, and may still
  /// be on its way. No event is told twice, and none is left out that either of them wants before and after.
  ///
  /// Takes microseconds. When it throws, nothing has changed.
  public func adopt(_ change: CaptureChange) throws(CaptureError) {
    switch change.extent {
    case .nothing: break
    case .filter:
      var error = martlet_probe_error()
      guard martlet_probe_switch_filter(probe, change.filter, &error) == 0 else {
        throw CaptureError(error, code: .refused)
      }
    case .programs:
      martlet_probe_switch(probe, change.successor)
      canaries?.followPrograms()
    }
    configuration = change.configuration
  }
}

extension CaptureConfiguration {
  /// What the verifier has made into the programs.
  fileprivate func needsOtherPrograms(than other: CaptureConfiguration) -> Bool {
    watchedCalls != other.watchedCalls || includesEnvironment != other.includesEnvironment
      || includesMissingPrograms != other.includesMissingPrograms || includesNames != other.includesNames
      || (filter == nil) != (other.filter == nil) || models != other.models
  }
}
