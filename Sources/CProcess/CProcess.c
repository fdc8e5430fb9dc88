// Some of the calls below are extensions.
#if defined(__linux__)
#define _GNU_SOURCE
#endif

#include "CProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/prctl.h>
#include <sys/timerfd.h>
#endif

#if !defined(__linux__)
static void keep_private(const int ends[2]) {
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
}
#endif

int cprocess_channel(int ends[2]) {
#if defined(__linux__)
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
#else
    const int on = 1;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return -1;
    keep_private(ends);
    setsockopt(ends[0], SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
    setsockopt(ends[1], SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
    return 0;
#endif
}

ssize_t cprocess_send(int channel, const void *bytes, size_t count) {
#if defined(__linux__)
    return send(channel, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
#else
    return send(channel, bytes, count, MSG_DONTWAIT);
#endif
}

int cprocess_pipe(int ends[2]) {
#if defined(__linux__)
    return pipe2(ends, O_CLOEXEC | O_NONBLOCK);
#else
    if (pipe(ends) != 0) return -1;
    keep_private(ends);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    return 0;
#endif
}

int cprocess_inherit_streams_only(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes) {
#if defined(__linux__)
    (void)attributes;
    errno = posix_spawn_file_actions_addclosefrom_np(actions, 3);
#else
    short flags = 0;
    (void)actions;
    posix_spawnattr_getflags(attributes, &flags);
    errno = posix_spawnattr_setflags(attributes, flags | POSIX_SPAWN_CLOEXEC_DEFAULT);
#endif
    return errno == 0 ? 0 : -1;
}

int cprocess_adopt_orphans(void) {
#if defined(__linux__)
    return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
#else
    errno = ENOSYS;
    return -1;
#endif
}

/// What the new process does, up to the program's first step: only calls that may be made between fork and exec.
static void become(const char *file, char *const arguments[], pid_t parent, int report) {
    sigset_t none;
    setpgid(0, 0);
#if defined(__linux__)
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != parent) return;  // it died before that
#else
    (void)parent;
#endif
    const int empty = open("/dev/null", O_RDONLY);
    if (empty > 0) {
        dup2(empty, 0);
        close(empty);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    execvp(file, arguments);
    const int failure = errno;
    const ssize_t written = write(report, &failure, sizeof failure);
    (void)written;
}

pid_t cprocess_start_guarded(const char *file, char *const arguments[]) {
    int report[2];
    if (pipe(report) != 0) return -1;
    // Closed by the exec: then nothing is read from the other end.
    fcntl(report[0], F_SETFD, FD_CLOEXEC);
    fcntl(report[1], F_SETFD, FD_CLOEXEC);
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child == 0) {
        become(file, arguments, parent, report[1]);
        _exit(127);
    }
    int failure = errno;
    close(report[1]);
    if (child > 0) {
        ssize_t count;
        setpgid(child, child);  // whoever of the two comes first
        do {
            count = read(report[0], &failure, sizeof failure);
        } while (count < 0 && errno == EINTR);
        if (count != sizeof failure) {
            close(report[0]);
            return child;
        }
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    close(report[0]);
    errno = failure;
    return -1;
}

int64_t cprocess_now(void) {
    struct timespec time;
#if defined(__linux__)
    clock_gettime(CLOCK_BOOTTIME, &time);
#else
    clock_gettime(CLOCK_MONOTONIC_RAW, &time);
#endif
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int cprocess_timer(void) {
#if defined(__linux__)
    return timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
#else
    errno = ENOSYS;
    return -1;
#endif
}

int cprocess_timer_set(int timer, int64_t moment) {
#if defined(__linux__)
    const struct itimerspec setting = {{0, 0}, {moment / 1000000000, moment % 1000000000}};
    return timerfd_settime(timer, TFD_TIMER_ABSTIME, &setting, NULL);
#else
    (void)timer;
    (void)moment;
    errno = ENOSYS;
    return -1;
#endif
}

static volatile sig_atomic_t note_to = -1;

static void note(int signal) {
    const int saved = errno;
    const unsigned char byte = (unsigned char)signal;
    const ssize_t written = write(note_to, &byte, 1);
    (void)written;
    errno = saved;
}

int cprocess_catch(int signal, int descriptor) {
    struct sigaction action = {0};
    note_to = descriptor;
    action.sa_handler = note;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    return sigaction(signal, &action, NULL);
}
