#ifndef CPROCESS_H
#define CPROCESS_H

#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/wait.h>

// What a guard of other processes needs of the system, and Swift has no words for. All of it answers -1 and sets
// `errno` where it does not succeed.

/// Two connected ends that no other program inherits. Writing to one whose peer is gone is an error, not a signal.
int cprocess_channel(int ends[2]);

/// Writes to an end of a channel without waiting.
ssize_t cprocess_send(int channel, const void *bytes, size_t count);

/// A pipe that no other program inherits: the end to read, then the end to write. Neither end ever waits.
int cprocess_pipe(int ends[2]);

/// Has a child of `posix_spawn` inherit none but the three standard streams; the attributes' flags must be set before.
int cprocess_inherit_streams_only(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes);

/// Makes orphans among this process's descendants its own children, so that it can find and end them.
int cprocess_adopt_orphans(void);

/// Starts a program in a process group of its own, with an empty standard input; the kernel kills it when the calling
/// thread ends, where it can.
///
/// Returns the process, or -1 with `errno`, also where the program could not be run.
pid_t cprocess_start_guarded(const char *file, char *const arguments[]);

/// The clock that also counts while the host sleeps, in nanoseconds.
int64_t cprocess_now(void);

/// A descriptor that becomes readable at a moment of that clock; -1 where the system has no such thing.
int cprocess_timer(void);

/// Sets a timer to a moment in nanoseconds; 0: to none.
int cprocess_timer_set(int timer, int64_t moment);

/// Has a signal written to a descriptor, as one byte, instead of doing what it does. There is one such descriptor in a
/// process.
int cprocess_catch(int signal, int descriptor);

#endif
