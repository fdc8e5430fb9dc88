#include "CConcurrency.h"

#include <stddef.h>

// The variable by which Swift's concurrency runtime lets somebody else run the jobs of its global executor
// (`swift/Runtime/Concurrency.h`). It is not part of the language: weak, since it may be missing one day.
typedef __attribute__((swiftcall)) void (*enqueue)(void *job);
extern __attribute__((swiftcall)) void (*swift_task_enqueueGlobal_hook)(void *job, enqueue original)
    __attribute__((weak));

static void (*take_job)(void *job);

static __attribute__((swiftcall)) void take_global_job(void *job, enqueue original) {
    (void)original;
    take_job(job);
}

bool cconcurrency_take_global_jobs(void (*take)(void *job)) {
    if (&swift_task_enqueueGlobal_hook == NULL) return false;
    take_job = take;
    swift_task_enqueueGlobal_hook = take_global_job;
    return true;
}
