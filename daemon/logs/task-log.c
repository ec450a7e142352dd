#include "daemon/logs/task-log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log-file.h"
#include "common/log.h"

int task_log_open(const char *dir, uint64_t id) {
    char path[4096];
    int r = log_file_path(path, sizeof(path), dir, id, ".log");

    if (r < 0)
        return r;
    int fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    return fd < 0 ? -errno : fd;
}

int task_log_read(const char *dir, uint64_t id, uint64_t offset, void *buf, size_t size) {
    char path[4096];
    int r = log_file_path(path, sizeof(path), dir, id, ".log");

    if (r < 0)
        return r;
    if (offset > (uint64_t)INT64_MAX - TASK_LOG_READ_MAX)
        return 0; /* pread(2) would find fault with it */
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    ssize_t n = pread(fd, buf, MIN(size, (size_t)TASK_LOG_READ_MAX), (off_t)offset);
    return n < 0 ? -errno : (int)n;
}

void task_log_remove(const char *dir, uint64_t id) {
    static const char *const endings[] = {".log", ".idx"};
    char path[4096];

    for (size_t i = 0; i < ELEMENTSOF(endings); i++) {
        if (log_file_path(path, sizeof(path), dir, id, endings[i]) < 0)
            continue;
        if (unlink(path) < 0 && errno != ENOENT)
            log_warning_errno(-errno, "Cannot delete %s, ignoring", path);
    }
}

void task_log_remove_below(const char *dir, uint64_t id) {
    DIR *d = opendir(dir);

    if (!d)
        return;
    for (struct dirent *e; (e = readdir(d));) {
        char *end;
        uint64_t n = strtoull(e->d_name, &end, 10);
        if (end != e->d_name && n < id && (streq(end, ".log") || streq(end, ".idx")))
            (void)unlinkat(dirfd(d), e->d_name, 0);
    }
    closedir(d);
}
