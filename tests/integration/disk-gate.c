#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/macro.h"

/* For LD_PRELOAD: what the daemon writes to its database waits for as long as there is the file
 * DISK_GATE, which gets a first byte when something waits. While there is DISK_GATE.full, the disk
 * has no room. */

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset);

/* It is not for what the daemon starts: of a build with sanitizers others cannot load it. */
__attribute__((constructor)) static void keep_to_the_daemon(void) {
    unsetenv("LD_PRELOAD");
}

static bool is_log_of_database(int fd) {
    char link[64], path[4096];

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof(path) - 1);
    path[MAX(n, 0)] = '\0';
    return strstr(path, "/longrun.db-wal");
}

static void pass(const char *gate) {
    int fd = open(gate, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    (void)!write(fd, "w", 1);
    close(fd);
    while (access(gate, F_OK) == 0)
        usleep(1000);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) {
    static ssize_t (*next)(int fd, const void *data, size_t size, off64_t offset);
    const char *gate = getenv("DISK_GATE");
    char full[4096];

    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "pwrite64");
    if (!gate || !is_log_of_database(fd))
        return next(fd, data, size, offset);
    pass(gate);
    snprintf(full, sizeof(full), "%s.full", gate);
    if (access(full, F_OK) == 0) {
        errno = ENOSPC;
        return -1;
    }
    return next(fd, data, size, offset);
}
