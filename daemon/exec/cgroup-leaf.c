#include "daemon/exec/cgroup-leaf.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fd-io.h"

#define EVENTS_MAX (4 * KIB)

int cgroup_leaf_path(char *buf, size_t size, const char *cgroup, uint64_t id) {
    int n = snprintf(buf, size, "%s/task-%" PRIu64, cgroup, id);
    return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

static int read_populated(const char *path) {
    _cleanup_free_ char *text = NULL;
    char events[4096];

    if ((size_t)snprintf(events, sizeof(events), "%s/cgroup.events", path) >= sizeof(events))
        return -ENAMETOOLONG;
    int r = file_read_all(events, EVENTS_MAX, &text, NULL);
    return r < 0 ? r : strstr(text, "populated 1") ? 1 : 0;
}

static int write_kill(const char *path) {
    char file[4096];

    if ((size_t)snprintf(file, sizeof(file), "%s/cgroup.kill", path) >= sizeof(file))
        return -ENAMETOOLONG;
    _cleanup_close_ int fd = open(file, O_WRONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd_write_full(fd, "1", 1);
}

int cgroup_leaf_end(const char *path) {
    int r = read_populated(path);

    if (r > 0) {
        r = write_kill(path);
        if (r >= 0)
            return 1; /* it takes a moment */
    }
    if (r == -ENOENT || r == -ENODEV)
        return 0;
    if (r == 0)
        (void)rmdir(path); /* one with cgroups below it stays, empty as it is */
    return r;
}
