/* SPDX-License-Identifier: Apache-2.0 */
/* Debian's zlib, of which recordings use the checksum. */
#include <zlib.h>
