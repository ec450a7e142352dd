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
#include "common/text.h"

static int open_file(const char *dir, uint64_t id, const char *ending) {
    char path[4096];
    int r = log_file_path(path, sizeof(path), dir, id, ending);

    if (r < 0)
        return r;
    int fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    return fd < 0 ? -errno : fd;
}

int task_log_open(const char *dir, uint64_t id) {
    return open_file(dir, id, ".log");
}

int task_log_open_index(const char *dir, uint64_t id) {
    return open_file(dir, id, ".idx");
}

char *task_log_path(const char *dir, uint64_t id) {
    char path[4096];

    /* D-Bus carries no path that is not UTF-8. */
    if (log_file_path(path, sizeof(path), dir, id, ".log") < 0 || !utf8_is_valid(path))
        path[0] = '\0';
    return strdup(path);
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

uint64_t task_log_size(const char *dir, uint64_t id) {
    char path[4096];
    struct stat st;

    if (log_file_path(path, sizeof(path), dir, id, ".log") < 0 || lstat(path, &st) < 0)
        return 0;
    return (uint64_t)st.st_size;
}

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

uint64_t task_log_highest_id(const char *dir) {
    uint64_t highest = 0;
    DIR *d = opendir(dir);

    if (!d)
        return 0;
    for (struct dirent *e; (e = readdir(d));) {
        uint64_t id = id_of_name(e->d_name);
        highest = MAX(highest, id);
    }
    closedir(d);
    return highest;
}
