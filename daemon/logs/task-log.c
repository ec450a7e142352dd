#include "daemon/logs/task-log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
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

int task_log_read(const char *dir, uint64_t id, uint64_t offset, void *buf, size_t size,
                  uint64_t *ret_next) {
    char path[4096];
    ssize_t n = 0;
    int r = log_file_path(path, sizeof(path), dir, id, ".log");

    if (r < 0)
        return r;
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno != ENOENT)
        return -errno;
    /* Above that, pread(2) would find fault with the offset. */
    if (fd >= 0 && offset <= (uint64_t)INT64_MAX - TASK_LOG_READ_MAX)
        n = gap_file_read(fd, &offset, buf, MIN(size, (size_t)TASK_LOG_READ_MAX));
    if (n >= 0)
        *ret_next = offset + (uint64_t)n;
    return (int)n;
}

static const char *const endings[] = {".log", ".idx"};

uint64_t task_log_kept(const char *dir, uint64_t id) {
    uint64_t blocks = 0;
    char path[4096];
    struct stat st;

    for (size_t i = 0; i < ELEMENTSOF(endings); i++)
        if (log_file_path(path, sizeof(path), dir, id, endings[i]) >= 0 && lstat(path, &st) >= 0)
            blocks += (uint64_t)st.st_blocks;
    return blocks * 512; /* whatever the file system calls a block: see stat(2) */
}

void task_log_remove(const char *dir, uint64_t id) {
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
