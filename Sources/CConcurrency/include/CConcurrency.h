#ifndef CCONCURRENCY_H
#define CCONCURRENCY_H

#include <stdbool.h>

/// Hands over all jobs of Swift's global executor to `take`, which must see to it that each of them runs once.
///
/// Returns whether the runtime allows it. To be called once, before other threads use the executor.
bool cconcurrency_take_global_jobs(void (*take)(void *job));

#endif
