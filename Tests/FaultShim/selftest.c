/* One process that makes each kind of call, for selftest.sh: prints "N name ok" or "N name ERRNO" for each. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static int number;

static long say(const char *name, long result, long wanted) {
    int error = errno;
    number++;
    if (result < 0)
        printf("%d %s %s\n", number, name, strerrorname_np(error));
    else if (result < wanted)
        printf("%d %s short %ld\n", number, name, result);
    else
        printf("%d %s ok\n", number, name);
    fflush(stdout);
    return result;
}

static void *calls(void *name) {
    if (name) prctl(PR_SET_NAME, name);
    char bytes[100] = "x";
    struct iovec vector = {bytes, sizeof bytes};
    int fd = (int)say("open", open("a", O_RDWR | O_CREAT, 0600), 0);
    if (fd < 0) fd = open("/dev/null", O_WRONLY);
    say("write", write(fd, bytes, sizeof bytes), sizeof bytes);
    say("pwrite", pwrite(fd, bytes, sizeof bytes, 0), sizeof bytes);
    say("writev", writev(fd, &vector, 1), sizeof bytes);
    say("pwritev", pwritev(fd, &vector, 1, 0), sizeof bytes);
    say("fsync", fsync(fd), 0);
    say("fdatasync", fdatasync(fd), 0);
    say("ftruncate", ftruncate(fd, 50), 0);
    say("mkdir", mkdir("d", 0700), 0);
    say("link", link("a", "b"), 0);
    say("rename", rename("b", "c"), 0);
    int to = (int)say("openat", openat(AT_FDCWD, "e", O_WRONLY | O_CREAT | O_EXCL, 0600), 0);
    off64_t zero = 0;
    say("copy_file_range", copy_file_range(fd, &zero, to, NULL, 50, 0), 50);
    say("unlink", unlink("c"), 0);
    close(to);
    close(fd);
    return NULL;
}

int main(int count, char **arguments) {
    if (count > 1) { /* In a thread of this name. */
        pthread_t thread;
        pthread_create(&thread, NULL, calls, arguments[1]);
        pthread_join(thread, NULL);
    } else {
        calls(NULL);
    }
    return 0;
}
