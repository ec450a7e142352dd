#include "tests/integration/shim-rig.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fd-io.h"

void rig_init(Rig *r) {
    int fds[2];

    *r = (Rig){.dir = "/tmp/longrun-shim-XXXXXX", .shim = -1};
    ck_assert_ptr_nonnull(mkdtemp(r->dir));
    ck_assert_int_ge(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
    r->control = fds[0];
    r->shim_control = fds[1];
}

void rig_done(Rig *r) {
    char command[64];

    close_fd(r->control);
    close_fd(r->shim_control);
    free(r->spec);
    snprintf(command, sizeof(command), "rm -rf %s", r->dir);
    ck_assert_int_eq(system(command), 0);
}

static void add_bytes(Rig *r, const void *data, size_t size) {
    char *grown = realloc(r->spec, r->spec_size + size);

    ck_assert_ptr_nonnull(grown);
    memcpy(grown + r->spec_size, data, size);
    r->spec = grown;
    r->spec_size += size;
}

void rig_add(Rig *r, const char *key, const char *format, ...) {
    _cleanup_free_ char *value = NULL;
    va_list ap;

    va_start(ap, format);
    int n = vasprintf(&value, format, ap);
    va_end(ap);
    ck_assert_int_ge(n, 0);
    add_bytes(r, key, strlen(key));
    add_bytes(r, "=", 1);
    add_bytes(r, value, (size_t)n + 1);
}

void rig_argv(Rig *r, const char *const *argv) {
    for (; *argv; argv++)
        rig_add(r, SHIM_SPEC_ARGV, "%s", *argv);
}

void rig_shell(Rig *r, const char *script) {
    RIG_ARGV(r, "/bin/sh", "-c", script);
}

void rig_command(Rig *r, const char *name, const char *arg) {
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    ck_assert_int_gt(n, 0);
    self[n] = '\0';
    RIG_ARGV(r, self, "--command", name, arg);
}

static _Noreturn void exec_shim(Rig *r, int spec_fd) {
    const char *path = getenv("LONGRUN_SHIM");

    /* Out of the way first: either may be where the other has to be. */
    int spec = fcntl(spec_fd, F_DUPFD_CLOEXEC, 10);
    int control = fcntl(r->shim_control, F_DUPFD_CLOEXEC, 10);
    if (dup2(spec, SHIM_FD_SPEC) < 0 || dup2(control, SHIM_FD_CONTROL) < 0)
        _exit(120);
    if (r->before)
        r->before();
    execl(path, path, NULL);
    _exit(121);
}

void rig_start_raw(Rig *r, const void *spec, size_t size) {
    ck_assert_msg(getenv("LONGRUN_SHIM"), "LONGRUN_SHIM is not set: the path of longrun-shim");
    _cleanup_close_ int fd = memfd_new("job", spec, size);

    ck_assert_int_ge(fd, 0);
    r->shim = fork();
    ck_assert_int_ge(r->shim, 0);
    if (r->shim == 0)
        exec_shim(r, fd);
    r->shim_control = close_fd(r->shim_control);
}

void rig_start(Rig *r) {
    rig_add(r, SHIM_SPEC_ID, "%d", RIG_TASK_ID);
    rig_add(r, SHIM_SPEC_LOG_DIR, "%s", r->log_dir ?: r->dir);
    if (r->stdin_data) {
        add_bytes(r, SHIM_SPEC_STDIN "=", strlen(SHIM_SPEC_STDIN "="));
        add_bytes(r, r->stdin_data, r->stdin_size);
        add_bytes(r, "", 1);
    }
    rig_start_raw(r, r->spec, r->spec_size);
}

void rig_send(Rig *r, const char *message) {
    ck_assert_int_eq(send(r->control, message, strlen(message), MSG_NOSIGNAL),
                     (ssize_t)strlen(message));
}

static void note(Rig *r, const char *key, const char *value) {
    size_t i;

    for (i = 0; i < r->n_values; i++)
        if (streq(r->values[i].key, key))
            break;
    ck_assert_uint_lt(i, ELEMENTSOF(r->values));
    ck_assert_uint_lt(strlen(key), sizeof(r->values[i].key));
    ck_assert_uint_lt(strlen(value), sizeof(r->values[i].value));
    strcpy(r->values[i].key, key);
    strcpy(r->values[i].value, value);
    r->values[i].message = r->messages;
    if (i == r->n_values)
        r->n_values++;
}

bool rig_receive(Rig *r) {
    struct pollfd p = {.fd = r->control, .events = POLLIN};
    char message[FIELDS_MAX + 1];

    ck_assert_msg(poll(&p, 1, RIG_TIMEOUT_MSEC) == 1, "the shim says nothing");
    ssize_t n = recv(r->control, message, FIELDS_MAX, 0);
    ck_assert_int_ge(n, 0);
    if (n == 0)
        return false;
    message[n] = '\0';
    r->messages++;

    char *cursor = message;
    for (const char *key, *value; fields_next(&cursor, &key, &value);)
        note(r, key, value);
    if (rig_value(r, SHIM_STARTED))
        r->command = atoi(rig_value(r, SHIM_STARTED));
    return true;
}

static const RigValue *find(Rig *r, const char *key) {
    for (size_t i = 0; i < r->n_values; i++)
        if (streq(r->values[i].key, key))
            return r->values + i;
    return NULL;
}

const char *rig_value(Rig *r, const char *key) {
    const RigValue *v = find(r, key);

    return v ? v->value : NULL;
}

const char *rig_end(Rig *r, const char *key) {
    const RigValue *v = find(r, key);

    return v && v->message == r->messages ? v->value : NULL;
}

void rig_check_end(Rig *r, const char *key, int value) {
    const char *text = rig_end(r, key);

    ck_assert_msg(text && atoi(text) == value, "%s is %s in the last message, not %d", key,
                  text ?: "not", value);
}

void rig_wait_for(Rig *r, const char *key) {
    while (!rig_value(r, key))
        ck_assert_msg(rig_receive(r), "the end came before %s", key);
}

void rig_wait_log(Rig *r, uint64_t size) {
    do {
        rig_wait_for(r, SHIM_LOG_SIZE);
        if (strtoull(rig_value(r, SHIM_LOG_SIZE), NULL, 10) >= size)
            return;
    } while (rig_receive(r));
    ck_abort_msg("the end came before the log had %" PRIu64 " bytes", size);
}

void rig_finish(Rig *r) {
    static const char *const ends[] = {SHIM_EXIT_CODE, SHIM_EXIT_SIGNAL, SHIM_EXEC_ERRNO};
    unsigned n_ends = 0;
    int status;

    while (rig_receive(r))
        ;
    for (size_t i = 0; i < ELEMENTSOF(ends); i++) {
        if (!rig_value(r, ends[i]))
            continue;
        ck_assert_msg(rig_end(r, ends[i]), "a message came after %s", ends[i]);
        n_ends++;
    }
    ck_assert_uint_eq(n_ends, 1);
    ck_assert_ptr_nonnull(rig_end(r, SHIM_LOG_SIZE));
    ck_assert(!rig_value(r, SHIM_STARTED) == !!rig_value(r, SHIM_EXEC_ERRNO));
    if (r->command > 0)
        ck_assert_msg(!rig_is_alive(r->command), "the command outlived the last message");

    ck_assert_int_eq(waitpid(r->shim, &status, 0), r->shim);
    ck_assert_int_eq(status, 0);
}

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

LogIndexEntry *rig_read_index(Rig *r, size_t *ret_count) {
    size_t size;
    char *data = read_log_file(r, ".idx", &size);

    ck_assert_uint_eq(size % sizeof(LogIndexEntry), 0);
    *ret_count = size / sizeof(LogIndexEntry);
    return (LogIndexEntry *)data;
}

bool rig_is_alive(pid_t pid) {
    return kill(pid, 0) >= 0 || errno != ESRCH;
}

unsigned char rig_pattern(uint64_t offset) {
    return (unsigned char)((offset * UINT64_C(0x9e3779b97f4a7c15)) >> 56);
}
