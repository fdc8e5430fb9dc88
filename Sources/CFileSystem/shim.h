#ifndef CFILESYSTEM_SHIM_H
#define CFILESYSTEM_SHIM_H

#include <errno.h>
#include <stdio.h>

#if defined(__linux__)
// Declared by <fcntl.h> and <stdio.h> only for programs that ask for GNU extensions before the first header.
extern int sync_file_range(int fd, long long offset, long long byte_count, unsigned int flags);
extern int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned int flags);
#endif

/// Lets the system begin to write bytes of a file to the disk, without waiting; where it cannot, nothing happens.
static inline void cfilesystem_start_writing(int fd, long long offset, long long byte_count) {
#if defined(__linux__)
    const unsigned int write = 2;  // SYNC_FILE_RANGE_WRITE
    (void)sync_file_range(fd, offset, byte_count, write);
#endif
}

/// Gives a file a name that nothing has, in one step: -1 and `EEXIST` where something has it, `EINVAL`, `ENOSYS` or
/// `ENOTSUP` where the system or the file system cannot do that.
static inline int cfilesystem_rename_to_unused(const char *from, const char *to) {
#if defined(__linux__)
    const int here = -100;             // AT_FDCWD
    const unsigned int no_replace = 1; // RENAME_NOREPLACE
    return renameat2(here, from, here, to, no_replace);
#elif defined(__APPLE__)
    return renamex_np(from, to, RENAME_EXCL);
#else
    errno = ENOSYS;
    return -1;
#endif
}

#endif
