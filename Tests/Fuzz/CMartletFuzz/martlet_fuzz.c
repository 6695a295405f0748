/* SPDX-License-Identifier: Apache-2.0 */
#include "martlet_fuzz.h"

__attribute__((weak)) int LLVMFuzzerRunDriver(int *argument_count, char ***arguments, martlet_fuzz_target target);

int martlet_fuzz(int argument_count, char **arguments, martlet_fuzz_target target) {
  return LLVMFuzzerRunDriver ? LLVMFuzzerRunDriver(&argument_count, &arguments, target) : -1;
}
