// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Names of errno values.
public enum ErrorNumber {
  /// `ENOENT` for -2, as a call returns it; `EUNKNOWN` for what is no error or has no name. Same on x86_64 and arm64.
  ///
  /// Any number may come: whoever answers for a call, as a seccomp listener can, chooses its result.
  public static func name(ofResult result: Int64) -> StaticString {
    guard (-4095..<0).contains(result) else { return "EUNKNOWN" }
    return switch Int32(-result) {
    case EPERM: "EPERM"
    case ENOENT: "ENOENT"
    case ESRCH: "ESRCH"
    case EINTR: "EINTR"
    case EIO: "EIO"
    case ENXIO: "ENXIO"
    case E2BIG: "E2BIG"
    case ENOEXEC: "ENOEXEC"
    case EBADF: "EBADF"
    case EAGAIN: "EAGAIN"
    case ENOMEM: "ENOMEM"
    case EACCES: "EACCES"
    case EFAULT: "EFAULT"
    case EBUSY: "EBUSY"
    case EEXIST: "EEXIST"
    case EXDEV: "EXDEV"
    case ENODEV: "ENODEV"
    case ENOTDIR: "ENOTDIR"
    case EISDIR: "EISDIR"
    case EINVAL: "EINVAL"
    case ENFILE: "ENFILE"
    case EMFILE: "EMFILE"
    case ETXTBSY: "ETXTBSY"
    case EFBIG: "EFBIG"
    case ENOSPC: "ENOSPC"
    case EROFS: "EROFS"
    case EPIPE: "EPIPE"
    case ENAMETOOLONG: "ENAMETOOLONG"
    case ENOSYS: "ENOSYS"
    case ELOOP: "ELOOP"
    case EOVERFLOW: "EOVERFLOW"
    case EOPNOTSUPP: "EOPNOTSUPP"
    case EPROTOTYPE: "EPROTOTYPE"
    case EPROTONOSUPPORT: "EPROTONOSUPPORT"
    case EAFNOSUPPORT: "EAFNOSUPPORT"
    case EADDRINUSE: "EADDRINUSE"
    case EADDRNOTAVAIL: "EADDRNOTAVAIL"
    case ENETDOWN: "ENETDOWN"
    case ENETUNREACH: "ENETUNREACH"
    case ECONNABORTED: "ECONNABORTED"
    case ECONNRESET: "ECONNRESET"
    case EISCONN: "EISCONN"
    case ENOTCONN: "ENOTCONN"
    case ETIMEDOUT: "ETIMEDOUT"
    case ECONNREFUSED: "ECONNREFUSED"
    case EHOSTDOWN: "EHOSTDOWN"
    case EHOSTUNREACH: "EHOSTUNREACH"
    case EALREADY: "EALREADY"
    case EINPROGRESS: "EINPROGRESS"
    case ESTALE: "ESTALE"
    case EDQUOT: "EDQUOT"
    default: "EUNKNOWN"
    }
  }
}
