// SPDX-License-Identifier: Apache-2.0

/// The parameters of Falco's events: what may stand behind `evt.arg.` and `evt.rawarg.`.
public enum EventParameter {
  /// Nil if no event has a parameter of this name. Where events differ in its type, that of the first of them in
  /// Falco's table of events: rules are compiled for that one.
  public static func type(named name: String) -> FieldType? { types[name] }

  public static let names: [String] = types.keys.sorted()

  private static let types: [String: FieldType] = Dictionary(
    uniqueKeysWithValues: namesByType.flatMap { type, names in
      names.split { $0 == " " || $0 == "\n" }.map { (String($0), type) }
    })

  private static let namesByType: [(FieldType, String)] = [
    (
      .string,
      """
      arg2_str comm container_id cwd desc description exe home image json quotafilepath scope shell
      special target uargs value_charbuf
      """
    ),
    (.path, "dir exepath filename linkpath name newpath oldpath path pathname root sun_path trusted_exepath"),
    (.bytes, "args cgroups data env img msgcontrol value_bytebuf"),
    (.int16, "sem_op_0 sem_op_1"),
    (.int32, "aux backlog key nsems semid semnum"),
    (.int64, "arg2_int cur max newcur newmax oldcur oldmax timeout"),
    (.uint8, "clockid core queuepct"),
    (.uint16, "nativeID sem_num_0 sem_num_1 sk_proto sk_type"),
    (
      .uint32,
      """
      action cpu cq_entries dev entries event_type first gid id last mask min_complete mnt_id mode nr_args
      nsops optlen plugin_id proto queuelen queuemax ratio size sq_entries sq_thread_cpu sq_thread_idle
      to_submit tty type uid vm_rss vm_size vm_swap
      """
    ),
    (
      .uint64,
      """
      arg argument cap_effective cap_inheritable cap_permitted cpu_sys cpu_usr dqb_bhardlimit
      dqb_bsoftlimit dqb_curspace dqb_ihardlimit dqb_isoftlimit event_data exe_ino exe_ino_num fdlimit
      initval ino ino_num ip len length offin offout offset peer pgft_maj pgft_min pgoffset
      pidns_init_start_ts pos request sk_pointer source
      """
    ),
    (.flags8, "dqi_flags fd_type quota_fmt quota_fmt_out"),
    (.flags16, "creat_flags op sem_flg_0 sem_flg_1"),
    (.flags32, "error features flags nstype operation prot resolve semflg"),
    (.enumFlags8, "cmd how level optname resource whence"),
    (.enumFlags16, "opcode"),
    (.enumFlags32, "domain option"),
    (.errorNumber, "maxevents res ret status"),
    (
      .descriptor,
      """
      dirfd fd fd1 fd2 fd_in fd_out fdin fdout in_fd linkdirfd mountfd newdir newdirfd newfd olddir
      olddirfd oldfd out_fd pid_fd target_fd
      """
    ),
    (.processID, "dpid next pgid pid ppid ptid reaper_tid sid spid tid vpgid vpid vtgid vtid"),
    (.userID, "euid loginuid ruid suid"),
    (.groupID, "egid rgid sgid"),
    (.port, "local_port remote_port"),
    (.absoluteTime, "exe_ino_ctime exe_ino_mtime start_time"),
    (.relativeTime, "dqb_btime dqb_itime dqi_bgrace dqi_igrace interval"),
    (.address, "local_ip remote_ip"),
    (.socketAddress, "addr"),
    (.socketTuple, "tuple"),
    (.descriptorList, "fds"),
    (.signalSet, "sigmask"),
    (.signal, "sig"),
    (.dynamic, "arg2 arg3 arg4 arg5 res_or_fd val"),
    (.systemCall, "ID"),
    (.textArray, "argv tags"),
  ]
}
