/*
 * Makes chosen system calls of a process fail, wait or kill it. For tests only: load it with LD_PRELOAD.
 *
 *   FAULTSHIM_CONTROL  a file with at most eight rules, one a line; looked at again whenever it changes
 *   FAULTSHIM_RULES    the rules themselves, if there is no such file; lines end with ';'
 *   FAULTSHIM_COUNTS   a file of eight pairs of 64-bit numbers in the machine's byte order: calls that matched the
 *                      rule, faults that took place. Shared by all processes that use it. Optional.
 *   FAULTSHIM_LOG      a file to which a line is appended for each matching call. Optional.
 *   FAULTSHIM_CLOCK    seconds by which the clock on the wall is ahead of the true one; those that count from a boot, and
 *                      the times of files, stay as they are. Optional.
 *
 * A rule is words of the form key=value with spaces between them:
 *
 *   fault=   count | error | short | torn | delay | kill | stop | hold
 *   errno=   name or number, for error and torn (EIO)         ms=    milliseconds, for delay
 *   gate=    path, for hold: wait while it exists; GATE.here is made when the wait begins
 *   when=    before | after the call is made, for kill, stop, delay and hold (before)
 *   at=      number of the first matching call, from 1 (1)    count= how many in a row, 0: for ever (1)
 *   calls=   list of write fsync fdatasync ftruncate fallocate rename link open mkdir unlink copy_file_range munmap
 *            (all but munmap); open counts only where it creates a file, munmap only from 32 KiB on
 *   path=    list of beginnings of absolute paths             suffix= list of ends of paths
 *   notpath= list of beginnings that are left alone
 *   thread=  list of beginnings of thread names               notthread= the same, left alone
 *   tid=     main | other
 *
 * Lists have commas between their values. A count belongs to the place of its rule and goes on when rules change. Only files are looked at, never sockets, pipes or terminals. A rule whose
 * fault has no meaning for a call (a short fsync) counts it and lets it pass.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { RULES = 8, VALUES = 16, LINE = 4096 };
enum call { WRITE, FSYNC, FDATASYNC, FTRUNCATE, FALLOCATE, RENAME, LINK, OPEN, MKDIR, UNLINK, COPY, MUNMAP, CALLS };
enum fault { COUNT, ERROR, SHORT, TORN, DELAY, KILL, STOP, HOLD };

static const char *const call_names[CALLS] = {"write", "fsync",  "fdatasync",       "ftruncate", "fallocate", "rename", "link",
                                              "open",  "mkdir", "unlink", "copy_file_range", "munmap"};
static const char *const fault_names[] = {"count", "error", "short", "torn", "delay", "kill", "stop", "hold"};

struct list {
    int count;
    const char *values[VALUES];
};

struct rule {
    enum fault fault;
    int error, after, tid; /* tid: 0 any, 1 main, 2 other */
    long milliseconds;
    const char *gate;
    uint64_t at, count;
    unsigned calls;
    struct list path, notpath, suffix, thread, notthread;
};

struct rules {
    int count;
    struct rule rule[RULES];
    char text[LINE * RULES];
};

struct counter {
    uint64_t matching, injected;
};

/* What is to be done to the present call: the rule, or NULL. */
struct verdict {
    const struct rule *rule;
};

static struct rules none;
static struct rules *current = &none; /* Replaced whole, never freed: a thread may still read the one before. */
static struct counter own_counters[RULES];
static struct counter *counters = own_counters;
static const char *control;
static int log_fd = -1;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t reload_lock = PTHREAD_MUTEX_INITIALIZER;
static struct stat seen;

/* ---- rules ---- */

static int error_number(const char *name) {
    static const struct {
        const char *name;
        int number;
    } known[] = {{"ENOSPC", ENOSPC}, {"EIO", EIO},       {"EDQUOT", EDQUOT}, {"EACCES", EACCES}, {"EPERM", EPERM},
                 {"EROFS", EROFS},   {"EINTR", EINTR},   {"EMFILE", EMFILE}, {"ENFILE", ENFILE}, {"EEXIST", EEXIST},
                 {"ENOENT", ENOENT}, {"EAGAIN", EAGAIN}, {"EFBIG", EFBIG},   {"ENOMEM", ENOMEM}, {"EXDEV", EXDEV}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(name, known[i].name)) return known[i].number;
    int number = atoi(name);
    return number > 0 ? number : EIO;
}

static void split(struct list *list, char *text) {
    char *rest = NULL;
    for (char *value = strtok_r(text, ",", &rest); value && list->count < VALUES; value = strtok_r(NULL, ",", &rest))
        list->values[list->count++] = value;
}

static void set(struct rule *rule, const char *key, char *value) {
    if (!strcmp(key, "fault")) {
        for (int i = 0; i <= HOLD; i++)
            if (!strcmp(value, fault_names[i])) rule->fault = (enum fault)i;
    } else if (!strcmp(key, "errno")) {
        rule->error = error_number(value);
    } else if (!strcmp(key, "when")) {
        rule->after = !strcmp(value, "after");
    } else if (!strcmp(key, "ms")) {
        rule->milliseconds = atol(value);
    } else if (!strcmp(key, "gate")) {
        rule->gate = value;
    } else if (!strcmp(key, "at")) {
        rule->at = strtoull(value, NULL, 10);
    } else if (!strcmp(key, "count")) {
        rule->count = strtoull(value, NULL, 10);
    } else if (!strcmp(key, "tid")) {
        rule->tid = !strcmp(value, "main") ? 1 : 2;
    } else if (!strcmp(key, "calls")) {
        struct list names = {0};
        split(&names, value);
        rule->calls = 0;
        for (int i = 0; i < names.count; i++)
            for (int call = 0; call < CALLS; call++)
                if (!strcmp(names.values[i], call_names[call])) rule->calls |= 1u << call;
    } else if (!strcmp(key, "path")) {
        split(&rule->path, value);
    } else if (!strcmp(key, "notpath")) {
        split(&rule->notpath, value);
    } else if (!strcmp(key, "suffix")) {
        split(&rule->suffix, value);
    } else if (!strcmp(key, "thread")) {
        split(&rule->thread, value);
    } else if (!strcmp(key, "notthread")) {
        split(&rule->notthread, value);
    }
}

static void parse(struct rules *rules) {
    char *rest = NULL;
    for (char *line = strtok_r(rules->text, "\n;", &rest); line && rules->count < RULES; line = strtok_r(NULL, "\n;", &rest)) {
        struct rule *rule = &rules->rule[rules->count++];
        rule->error = EIO;
        rule->at = rule->count = 1;
        rule->calls = ~(1u << MUNMAP);
        char *words = NULL;
        for (char *word = strtok_r(line, " ", &words); word; word = strtok_r(NULL, " ", &words)) {
            char *equals = strchr(word, '=');
            if (!equals) continue;
            *equals = 0;
            set(rule, word, equals + 1);
        }
    }
}

/* Reads by system calls alone: the C library's functions of these names are the ones defined below. */
static void reload(void) {
    struct stat now;
    if (!control || stat(control, &now) != 0) return;
    if (now.st_ino == seen.st_ino && now.st_mtim.tv_sec == seen.st_mtim.tv_sec &&
        now.st_mtim.tv_nsec == seen.st_mtim.tv_nsec && now.st_size == seen.st_size)
        return;
    pthread_mutex_lock(&reload_lock);
    struct rules *fresh = calloc(1, sizeof *fresh);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, control, O_RDONLY | O_CLOEXEC);
    if (fresh && fd >= 0) {
        ssize_t length = read(fd, fresh->text, sizeof fresh->text - 1);
        fresh->text[length > 0 ? length : 0] = 0;
        parse(fresh);
        seen = now;
        __atomic_store_n(&current, fresh, __ATOMIC_RELEASE);
    }
    if (fd >= 0) close(fd);
    pthread_mutex_unlock(&reload_lock);
}

static void start(void) {
    control = getenv("FAULTSHIM_CONTROL");
    const char *rules = getenv("FAULTSHIM_RULES"), *counts = getenv("FAULTSHIM_COUNTS"), *log = getenv("FAULTSHIM_LOG");
    if (rules && !control) {
        struct rules *fresh = calloc(1, sizeof *fresh);
        if (fresh) {
            snprintf(fresh->text, sizeof fresh->text, "%s", rules);
            parse(fresh);
            current = fresh;
        }
    }
    if (counts) {
        int fd = (int)syscall(SYS_openat, AT_FDCWD, counts, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (fd >= 0 && syscall(SYS_ftruncate, fd, (off_t)sizeof own_counters) == 0) {
            void *map = mmap(NULL, sizeof own_counters, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
            if (map != MAP_FAILED) counters = map;
        }
        if (fd >= 0) close(fd);
    }
    if (log) log_fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
}

__attribute__((constructor)) static void constructor(void) { pthread_once(&once, start); }

/* ---- matching ---- */

static int begins(const struct list *list, const char *text) {
    for (int i = 0; i < list->count; i++)
        if (!strncmp(text, list->values[i], strlen(list->values[i]))) return 1;
    return 0;
}

static int ends(const struct list *list, const char *text) {
    size_t length = strlen(text);
    for (int i = 0; i < list->count; i++) {
        size_t tail = strlen(list->values[i]);
        if (tail <= length && !strcmp(text + length - tail, list->values[i])) return 1;
    }
    return 0;
}

static int fits_path(const struct rule *rule, const char *path) {
    return path && path[0] == '/' && (!rule->path.count || begins(&rule->path, path)) &&
           (!rule->suffix.count || ends(&rule->suffix, path)) && !begins(&rule->notpath, path);
}

static int fits_thread(const struct rule *rule) {
    if (rule->tid && (rule->tid == 1) != (getpid() == (pid_t)syscall(SYS_gettid))) return 0;
    if (!rule->thread.count && !rule->notthread.count) return 1;
    char name[17] = "";
    prctl(PR_GET_NAME, name);
    return (!rule->thread.count || begins(&rule->thread, name)) && !begins(&rule->notthread, name);
}

static void write_log(uint64_t number, int index, enum call call, const char *path, const char *other, const char *what) {
    if (log_fd < 0) return;
    char name[17] = "", line[2 * PATH_MAX + 200];
    prctl(PR_GET_NAME, name);
    int length = snprintf(line, sizeof line, "%llu rule=%d %s %s%s%s thread=%s pid=%d %s\n", (unsigned long long)number,
                          index, call_names[call], path, other ? " " : "", other ? other : "", name, getpid(), what);
    if (length >= (int)sizeof line) length = (int)sizeof line - 1;
    syscall(SYS_write, log_fd, line, (size_t)length);
}

static void act(const struct rule *rule) {
    struct timespec pause = {0, 1000000};
    switch (rule->fault) {
    case DELAY:
        pause.tv_sec = rule->milliseconds / 1000;
        pause.tv_nsec = rule->milliseconds % 1000 * 1000000;
        while (nanosleep(&pause, &pause) != 0 && errno == EINTR) {
        }
        break;
    case KILL:
        kill(getpid(), SIGKILL);
        for (;;) nanosleep(&pause, NULL);
    case STOP:
        kill(getpid(), SIGSTOP);
        break;
    case HOLD:
        if (rule->gate) {
            char here[PATH_MAX];
            snprintf(here, sizeof here, "%s.here", rule->gate);
            if (access(rule->gate, F_OK) != 0) break;
            int fd = (int)syscall(SYS_openat, AT_FDCWD, here, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
            if (fd >= 0) close(fd);
            while (access(rule->gate, F_OK) == 0) nanosleep(&pause, NULL);
        }
        break;
    default:
        break;
    }
}

/* Counts the call with each rule it matches; the first rule whose turn it is decides. Keeps errno. */
static struct verdict look(enum call call, const char *path, const char *other) {
    struct verdict verdict = {NULL};
    int saved = errno;
    pthread_once(&once, start);
    reload();
    const struct rules *rules = __atomic_load_n(&current, __ATOMIC_ACQUIRE);
    for (int i = 0; i < rules->count; i++) {
        const struct rule *rule = &rules->rule[i];
        if (!(rule->calls & 1u << call)) continue;
        if (call != MUNMAP && !fits_path(rule, path) && !fits_path(rule, other)) continue;
        if (!fits_thread(rule)) continue;
        uint64_t number = __atomic_add_fetch(&counters[i].matching, 1, __ATOMIC_SEQ_CST);
        int chosen = rule->fault != COUNT && !verdict.rule && rule->at && number >= rule->at &&
                     (!rule->count || number - rule->at < rule->count);
        if ((rule->fault == SHORT || rule->fault == TORN) && call != WRITE && call != COPY) chosen = 0;
        if (chosen) {
            __atomic_add_fetch(&counters[i].injected, 1, __ATOMIC_SEQ_CST);
            verdict.rule = rule;
        }
        write_log(number, i, call, path ? path : "-", other, chosen ? fault_names[rule->fault] : "passed");
    }
    if (verdict.rule && !verdict.rule->after) act(verdict.rule);
    errno = saved;
    return verdict;
}

static struct verdict look_fd(enum call call, int fd) {
    char link[64], path[PATH_MAX];
    int saved = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length > 0 ? length : 0] = 0;
    errno = saved;
    return look(call, path, NULL);
}

/* The absolute path of `path` as seen from the folder `fd`, not normalised. */
static const char *absolute(int fd, const char *path, char *buffer) {
    if (!path || path[0] == '/') return path;
    int saved = errno;
    char link[64];
    ssize_t length;
    if (fd == AT_FDCWD)
        snprintf(link, sizeof link, "/proc/self/cwd");
    else
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, buffer, PATH_MAX - 2);
    if (length < 0) length = 0;
    snprintf(buffer + length, (size_t)(PATH_MAX - length), "/%s", path);
    errno = saved;
    return buffer;
}

static struct verdict look_path(enum call call, int fd, const char *path) {
    char buffer[PATH_MAX];
    return look(call, absolute(fd, path, buffer), NULL);
}

static struct verdict look_paths(enum call call, int fd, const char *path, int other_fd, const char *other) {
    char buffer[PATH_MAX], other_buffer[PATH_MAX];
    return look(call, absolute(fd, path, buffer), absolute(other_fd, other, other_buffer));
}

static int fails(struct verdict verdict) {
    if (!verdict.rule || verdict.rule->fault != ERROR) return 0;
    errno = verdict.rule->error;
    return 1;
}

static void after(struct verdict verdict) {
    if (!verdict.rule || !verdict.rule->after) return;
    int saved = errno;
    act(verdict.rule);
    errno = saved;
}

static int is(struct verdict verdict, enum fault fault) { return verdict.rule && verdict.rule->fault == fault; }

/* ---- the calls ---- */

#define REAL(type, name, ...)                                   \
    static type (*real)(__VA_ARGS__);                           \
    if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

/* `all` makes the call as asked; `part` makes it for half of the bytes, `half`. */
#define WRITES(verdict, size, all, part)                        \
    if (fails(verdict)) return -1;                              \
    if ((is(verdict, SHORT) || is(verdict, TORN)) && (size) > 1) { \
        size_t half = (size) / 2;                               \
        ssize_t written = part;                                 \
        if (is(verdict, SHORT) || written < 0) return written;  \
        errno = verdict.rule->error;                            \
        return -1;                                              \
    }                                                           \
    ssize_t result = all;                                       \
    after(verdict);                                             \
    return result

ssize_t write(int fd, const void *bytes, size_t size) {
    REAL(ssize_t, "write", int, const void *, size_t);
    struct verdict verdict = look_fd(WRITE, fd);
    WRITES(verdict, size, real(fd, bytes, size), real(fd, bytes, half));
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset) {
    REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
    struct verdict verdict = look_fd(WRITE, fd);
    WRITES(verdict, size, real(fd, bytes, size, offset), real(fd, bytes, half, offset));
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    struct verdict verdict = look_fd(WRITE, fd);
    WRITES(verdict, size, real(fd, bytes, size, offset), real(fd, bytes, half, offset));
}

/* A short write of a vector is half of its first element. */
#define HALF_OF_FIRST(vector) {(vector)[0].iov_base, half}

ssize_t writev(int fd, const struct iovec *vector, int count) {
    REAL(ssize_t, "writev", int, const struct iovec *, int);
    struct verdict verdict = look_fd(WRITE, fd);
    size_t size = count > 0 ? vector[0].iov_len : 0;
    WRITES(verdict, size, real(fd, vector, count), real(fd, &(struct iovec)HALF_OF_FIRST(vector), 1));
}

ssize_t pwritev(int fd, const struct iovec *vector, int count, off_t offset) {
    REAL(ssize_t, "pwritev", int, const struct iovec *, int, off_t);
    struct verdict verdict = look_fd(WRITE, fd);
    size_t size = count > 0 ? vector[0].iov_len : 0;
    WRITES(verdict, size, real(fd, vector, count, offset), real(fd, &(struct iovec)HALF_OF_FIRST(vector), 1, offset));
}

ssize_t pwritev64(int fd, const struct iovec *vector, int count, off64_t offset) {
    REAL(ssize_t, "pwritev64", int, const struct iovec *, int, off64_t);
    struct verdict verdict = look_fd(WRITE, fd);
    size_t size = count > 0 ? vector[0].iov_len : 0;
    WRITES(verdict, size, real(fd, vector, count, offset), real(fd, &(struct iovec)HALF_OF_FIRST(vector), 1, offset));
}

ssize_t pwritev2(int fd, const struct iovec *vector, int count, off_t offset, int flags) {
    REAL(ssize_t, "pwritev2", int, const struct iovec *, int, off_t, int);
    struct verdict verdict = look_fd(WRITE, fd);
    size_t size = count > 0 ? vector[0].iov_len : 0;
    WRITES(verdict, size, real(fd, vector, count, offset, flags),
           real(fd, &(struct iovec)HALF_OF_FIRST(vector), 1, offset, flags));
}

ssize_t copy_file_range(int from, off64_t *from_offset, int to, off64_t *to_offset, size_t size, unsigned flags) {
    REAL(ssize_t, "copy_file_range", int, off64_t *, int, off64_t *, size_t, unsigned);
    struct verdict verdict = look_fd(COPY, to);
    WRITES(verdict, size, real(from, from_offset, to, to_offset, size, flags),
           real(from, from_offset, to, to_offset, half, flags));
}

ssize_t sendfile(int to, int from, off_t *offset, size_t size) {
    REAL(ssize_t, "sendfile", int, int, off_t *, size_t);
    struct verdict verdict = look_fd(COPY, to);
    WRITES(verdict, size, real(to, from, offset, size), real(to, from, offset, half));
}

ssize_t sendfile64(int to, int from, off64_t *offset, size_t size) {
    REAL(ssize_t, "sendfile64", int, int, off64_t *, size_t);
    struct verdict verdict = look_fd(COPY, to);
    WRITES(verdict, size, real(to, from, offset, size), real(to, from, offset, half));
}

/* The rest returns 0 or a descriptor, or -1 and errno. */
#define PLAIN(verdict, all)        \
    if (fails(verdict)) return -1; \
    int result = all;              \
    after(verdict);                \
    return result

int fsync(int fd) {
    REAL(int, "fsync", int);
    struct verdict verdict = look_fd(FSYNC, fd);
    PLAIN(verdict, real(fd));
}

int fdatasync(int fd) {
    REAL(int, "fdatasync", int);
    struct verdict verdict = look_fd(FDATASYNC, fd);
    PLAIN(verdict, real(fd));
}

int ftruncate(int fd, off_t size) {
    REAL(int, "ftruncate", int, off_t);
    struct verdict verdict = look_fd(FTRUNCATE, fd);
    PLAIN(verdict, real(fd, size));
}

int ftruncate64(int fd, off64_t size) {
    REAL(int, "ftruncate64", int, off64_t);
    struct verdict verdict = look_fd(FTRUNCATE, fd);
    PLAIN(verdict, real(fd, size));
}

int fallocate(int fd, int mode, off_t offset, off_t size) {
    REAL(int, "fallocate", int, int, off_t, off_t);
    struct verdict verdict = look_fd(FALLOCATE, fd);
    PLAIN(verdict, real(fd, mode, offset, size));
}

int posix_fallocate(int fd, off_t offset, off_t size) {
    REAL(int, "posix_fallocate", int, off_t, off_t);
    struct verdict verdict = look_fd(FALLOCATE, fd);
    if (fails(verdict)) return verdict.rule->error; /* This one returns the error. */
    int result = real(fd, offset, size);
    after(verdict);
    return result;
}

int rename(const char *from, const char *to) {
    REAL(int, "rename", const char *, const char *);
    struct verdict verdict = look_paths(RENAME, AT_FDCWD, from, AT_FDCWD, to);
    PLAIN(verdict, real(from, to));
}

int renameat(int from_fd, const char *from, int to_fd, const char *to) {
    REAL(int, "renameat", int, const char *, int, const char *);
    struct verdict verdict = look_paths(RENAME, from_fd, from, to_fd, to);
    PLAIN(verdict, real(from_fd, from, to_fd, to));
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags) {
    REAL(int, "renameat2", int, const char *, int, const char *, unsigned);
    struct verdict verdict = look_paths(RENAME, from_fd, from, to_fd, to);
    PLAIN(verdict, real(from_fd, from, to_fd, to, flags));
}

int link(const char *from, const char *to) {
    REAL(int, "link", const char *, const char *);
    struct verdict verdict = look_paths(LINK, AT_FDCWD, from, AT_FDCWD, to);
    PLAIN(verdict, real(from, to));
}

int linkat(int from_fd, const char *from, int to_fd, const char *to, int flags) {
    REAL(int, "linkat", int, const char *, int, const char *, int);
    struct verdict verdict = look_paths(LINK, from_fd, from, to_fd, to);
    PLAIN(verdict, real(from_fd, from, to_fd, to, flags));
}

int mkdir(const char *path, mode_t mode) {
    REAL(int, "mkdir", const char *, mode_t);
    struct verdict verdict = look_path(MKDIR, AT_FDCWD, path);
    PLAIN(verdict, real(path, mode));
}

int mkdirat(int fd, const char *path, mode_t mode) {
    REAL(int, "mkdirat", int, const char *, mode_t);
    struct verdict verdict = look_path(MKDIR, fd, path);
    PLAIN(verdict, real(fd, path, mode));
}

int unlink(const char *path) {
    REAL(int, "unlink", const char *);
    struct verdict verdict = look_path(UNLINK, AT_FDCWD, path);
    PLAIN(verdict, real(path));
}

int unlinkat(int fd, const char *path, int flags) {
    REAL(int, "unlinkat", int, const char *, int);
    struct verdict verdict = look_path(UNLINK, fd, path);
    PLAIN(verdict, real(fd, path, flags));
}

int munmap(void *address, size_t size) {
    if (size < 32 << 10) return (int)syscall(SYS_munmap, address, size);
    struct verdict verdict = look(MUNMAP, NULL, NULL);
    PLAIN(verdict, (int)syscall(SYS_munmap, address, size));
}

/* Only an open that makes a file can meet a full disk. */
static struct verdict look_open(int fd, const char *path, int flags) {
    int saved = errno;
    int creates = (flags & O_CREAT) && faccessat(fd, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
    creates = creates || (flags & O_TMPFILE) == O_TMPFILE;
    errno = saved;
    return creates ? look_path(OPEN, fd, path) : (struct verdict){NULL};
}

#define MODE                                          \
    mode_t mode = 0;                                  \
    if (flags & (O_CREAT | __O_TMPFILE)) {            \
        va_list arguments;                            \
        va_start(arguments, flags);                   \
        mode = (mode_t)va_arg(arguments, unsigned);   \
        va_end(arguments);                            \
    }

int open(const char *path, int flags, ...) {
    MODE REAL(int, "open", const char *, int, ...);
    struct verdict verdict = look_open(AT_FDCWD, path, flags);
    PLAIN(verdict, real(path, flags, mode));
}

int open64(const char *path, int flags, ...) {
    MODE REAL(int, "open64", const char *, int, ...);
    struct verdict verdict = look_open(AT_FDCWD, path, flags);
    PLAIN(verdict, real(path, flags, mode));
}

int openat(int fd, const char *path, int flags, ...) {
    MODE REAL(int, "openat", int, const char *, int, ...);
    struct verdict verdict = look_open(fd, path, flags);
    PLAIN(verdict, real(fd, path, flags, mode));
}

int openat64(int fd, const char *path, int flags, ...) {
    MODE REAL(int, "openat64", int, const char *, int, ...);
    struct verdict verdict = look_open(fd, path, flags);
    PLAIN(verdict, real(fd, path, flags, mode));
}

int creat(const char *path, mode_t mode) {
    REAL(int, "creat", const char *, mode_t);
    struct verdict verdict = look_open(AT_FDCWD, path, O_CREAT);
    PLAIN(verdict, real(path, mode));
}

int creat64(const char *path, mode_t mode) {
    REAL(int, "creat64", const char *, mode_t);
    struct verdict verdict = look_open(AT_FDCWD, path, O_CREAT);
    PLAIN(verdict, real(path, mode));
}

/* The clock on the wall, where it is off. */

static time_t clock_offset(void) {
    static int is_known;
    static time_t offset;
    if (!is_known) {
        const char *text = getenv("FAULTSHIM_CLOCK");
        offset = text ? (time_t)strtoll(text, NULL, 10) : 0;
        is_known = 1;
    }
    return offset;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    const int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += clock_offset();
    return result;
}

int gettimeofday(struct timeval *now, void *zone) {
    const int result = (int)syscall(SYS_gettimeofday, now, zone);
    if (result == 0 && now) now->tv_sec += clock_offset();
    return result;
}

time_t time(time_t *now) {
    struct timespec moment;
    clock_gettime(CLOCK_REALTIME, &moment);
    if (now) *now = moment.tv_sec;
    return moment.tv_sec;
}
