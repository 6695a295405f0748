// SPDX-License-Identifier: Apache-2.0

import CMartletABI
import CMartletBPF
import Glibc
import MartletEvents

extension martlet_probe_options {
  /// `filter` and `models` are the configuration's, encoded; they have to outlive what takes the options.
  init(
    _ configuration: CaptureConfiguration, cgroups: CgroupLayout, cgroup: OpenCgroup,
    filter: UnsafeMutablePointer<martlet_filter>?, models: UnsafeMutablePointer<martlet_model_names>?
  ) {
    self.init()
    ring_bytes = configuration.ringBytes(forCPUs: sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    wake_bytes = configuration.wakeBytes ?? 0
    self_process_id = UInt32(getpid())
    cgroup_v1 = cgroups.rawValue
    environment = configuration.includesEnvironment
    missing_programs = configuration.includesMissingPrograms
    names = configuration.includesNames
    let wanted = configuration.watchedCalls.rawValue
    wanted_calls = (UInt64(truncatingIfNeeded: wanted), UInt64(truncatingIfNeeded: wanted >> 64))
    rings = configuration.watchesRings
    is_in_cgroup = configuration.cgroup.holdsThisProcess
    seeds = configuration.seed == .automatic || configuration.seed == .iterator
    cgroup_fd = -1
    if case .open(let descriptor) = cgroup { cgroup_fd = descriptor }
    if let filter {
      filtering = UInt8((configuration.marksUnwanted ? MARTLET_FILTERING_MARKS : MARTLET_FILTERING_ON).rawValue)
      self.filter = UnsafePointer(filter)
    }
    self.models = models.map { UnsafePointer($0) }
    watches_models = models != nil
  }
}
