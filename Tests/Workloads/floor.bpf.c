/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause */
/* A program that does nothing where the agent looks at system calls: what being asked costs, whatever is done then. */

__attribute__((section("tp_btf/sys_exit"), used)) int nothing(void *context)
{
	return 0;
}

char LICENSE[] __attribute__((section("license"), used)) = "Dual BSD/GPL";
