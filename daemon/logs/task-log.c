#include "daemon/logs/task-log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log-file.h"
#include "common/log.h"
#include "common/parse.h"

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

/* The id of a file's name, 0 for one that is no log. */
static uint64_t id_of_name(const char *name) {
    char digits[32];
    size_t n = strspn(name, "0123456789");
    uint64_t id;

    if (n >= sizeof(digits) || !streq(name + n, ".log"))
        return 0;
    memcpy(digits, name, n);
    digits[n] = '\0';
    return parse_u64(digits, &id) < 0 ? 0 : id;
}

static int compare_ids(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static size_t list_ids(DIR *d, uint64_t **ids) {
    size_t n = 0, allocated = 0;

    for (struct dirent *e; (e = readdir(d));) {
        uint64_t id = id_of_name(e->d_name);
        if (id == 0)
            continue;
        if (n == allocated) {
            allocated = MAX(allocated * 2, (size_t)256);
            uint64_t *grown = realloc(*ids, allocated * sizeof(uint64_t));
            if (!grown)
                break;
            *ids = grown;
        }
        (*ids)[n++] = id;
    }
    return n;
}

void task_log_remove_oldest(const char *dir, size_t keep) {
    _cleanup_free_ uint64_t *ids = NULL;
    DIR *d = opendir(dir);

    if (!d)
        return;
    size_t n = list_ids(d, &ids);
    closedir(d);
    if (n > keep)
        qsort(ids, n, sizeof(uint64_t), compare_ids);
    for (size_t i = 0; i + keep < n; i++)
        task_log_remove(dir, ids[i]);
}
