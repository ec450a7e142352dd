#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fd-io.h"
#include "tests/integration/shim-rig.h"

/* What is in the folder of a test: files of its own, the log, exit records. */

void rig_path(Rig *r, const char *name, char *buf, size_t size) {
    ck_assert_int_lt(snprintf(buf, size, "%s/%s", r->dir, name), (int)size);
}

void rig_write_file(Rig *r, const char *name, const char *text, mode_t mode) {
    char path[PATH_MAX];

    rig_path(r, name, path, sizeof(path));
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fd_write_full(fd, text, strlen(text)), 0);
}

void rig_make_fifo(Rig *r, const char *name) {
    char path[PATH_MAX];

    rig_path(r, name, path, sizeof(path));
    ck_assert_int_eq(mkfifo(path, 0600), 0);
}

void rig_write_fifo(Rig *r, const char *name) {
    char path[PATH_MAX];

    rig_path(r, name, path, sizeof(path));
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fd_write_full(fd, "\n", 1), 0);
}

static char *read_log_file(Rig *r, const char *ending, size_t *ret_size) {
    char path[PATH_MAX], *data;

    ck_assert_int_eq(log_file_path(path, sizeof(path), r->log_dir ?: r->dir, RIG_TASK_ID, ending),
                     0);
    int n = file_read_all(path, 256 * MIB, &data, ret_size);
    if (n == -ENOENT) {
        data = calloc(1, 1);
        *ret_size = 0;
    } else {
        ck_assert_int_eq(n, 0);
    }
    return data;
}

char *rig_read_log(Rig *r, size_t *ret_size) {
    char *data = read_log_file(r, ".log", ret_size);

    ck_assert_uint_eq(strtoull(strempty(rig_value(r, SHIM_LOG_SIZE)), NULL, 10), *ret_size);
    return data;
}

void rig_check_log(Rig *r, const char *expected) {
    size_t size;
    _cleanup_free_ char *log = rig_read_log(r, &size);

    ck_assert_str_eq(log, expected);
    ck_assert_uint_eq(size, strlen(expected));
}

LogIndexEntry *rig_read_index(Rig *r, size_t *ret_count) {
    size_t size;
    char *data = read_log_file(r, ".idx", &size);

    ck_assert_uint_eq(size % sizeof(LogIndexEntry), 0);
    *ret_count = size / sizeof(LogIndexEntry);
    return (LogIndexEntry *)data;
}

static void record_path(Rig *r, uint64_t id, char buf[static PATH_MAX]) {
    snprintf(buf, PATH_MAX, "%s/task-%" PRIu64 "/" SHIM_EXIT_NAME, r->run, id);
}

char *rig_read_record(Rig *r, uint64_t id) {
    char path[PATH_MAX], *text;

    record_path(r, id, path);
    return file_read_all(path, SHIM_EXIT_RECORD_MAX, &text, NULL) < 0 ? NULL : text;
}

void rig_wait_record(Rig *r, uint64_t id) {
    uint64_t deadline = clock_usec(CLOCK_MONOTONIC) + RIG_TIMEOUT_MSEC * USEC_PER_MSEC;
    char path[PATH_MAX];

    record_path(r, id, path);
    while (access(path, F_OK) < 0) {
        ck_assert_msg(clock_usec(CLOCK_MONOTONIC) < deadline, "there is no %s", path);
        sched_yield();
    }
}
