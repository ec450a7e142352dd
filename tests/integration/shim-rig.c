#include "tests/integration/shim-rig.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fd-io.h"
#include "common/strv.h"
#include "version.h"

const char *rig_cgroup_base;

void rig_init(Rig *r) {
    int fds[2];

    *r = (Rig){.dir = "/tmp/longrun-shim-XXXXXX", .shim = -1, .keeper = -1, .keeper_fd = -EBADF};
    ck_assert_ptr_nonnull(mkdtemp(r->dir));
    snprintf(r->run, sizeof(r->run), "%s/run", r->dir);
    if (rig_cgroup_base) {
        snprintf(r->cgroup, sizeof(r->cgroup), "%s/%d", rig_cgroup_base, getpid());
        ck_assert_msg(mkdir(r->cgroup, 0755) >= 0, "%s: %m", r->cgroup);
    }
    ck_assert_int_ge(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
    r->control = fds[0];
    r->shim_control = fds[1];
}

/* No task has left one. A shim without a keeper may be just on its way out. */
static void remove_cgroup(Rig *r) {
    uint64_t deadline = clock_usec(CLOCK_MONOTONIC) + RIG_TIMEOUT_MSEC * USEC_PER_MSEC;
    char path[128];

    snprintf(path, sizeof(path), "%s/keeper", r->cgroup);
    while (rmdir(path) < 0 && errno == EBUSY && clock_usec(CLOCK_MONOTONIC) < deadline)
        sched_yield();
    ck_assert_msg(access(path, F_OK) < 0, "%s is still there", path);
    ck_assert_msg(rmdir(r->cgroup) >= 0, "%s: %m", r->cgroup);
}

void rig_done(Rig *r) {
    char command[64];

    rig_end_keeper(r);
    close_fd(r->control);
    close_fd(r->shim_control);
    free(r->spec);
    strv_free(r->texts);
    if (r->cgroup[0])
        remove_cgroup(r);
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

/* ---- the keeper ---- */

static void enter_cgroup(Rig *r) {
    char path[128];

    snprintf(path, sizeof(path), "%s/cgroup.procs", r->cgroup);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "0", 1) != 1)
        _exit(122);
    close(fd);
}

static _Noreturn void exec_keeper(Rig *r, int out, const char *notify) {
    const char *path = r->program ?: getenv("LONGRUN_SHIM");

    if (dup2(out, STDOUT_FILENO) < 0)
        _exit(120);
    if (r->cgroup[0]) {
        setenv("NOTIFY_SOCKET", notify, 1);
        enter_cgroup(r);
    }
    if (r->before)
        r->before();
    execl(path, path, "--keeper", r->run, r->cgroup[0] ? "--cgroup" : NULL, NULL);
    _exit(121);
}

/* One that a daemon starts lets go of its stdout when it listens; a service says so. */
void rig_start_keeper(Rig *r) {
    struct sockaddr_un notify = {.sun_family = AF_UNIX};
    int fds[2];
    char text[256];

    ck_assert_msg(getenv("LONGRUN_SHIM"), "LONGRUN_SHIM is not set: the path of longrun-shim");
    ck_assert_int_ge(pipe2(fds, O_CLOEXEC), 0);
    rig_path(r, "ready", notify.sun_path, sizeof(notify.sun_path));
    (void)unlink(notify.sun_path);
    _cleanup_close_ int ready = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(ready, (struct sockaddr *)&notify, sizeof(notify)), 0);
    r->keeper = fork();
    ck_assert_int_ge(r->keeper, 0);
    if (r->keeper == 0)
        exec_keeper(r, fds[1], notify.sun_path);
    close(fds[1]);
    struct pollfd p = {.fd = r->cgroup[0] ? ready : fds[0], .events = POLLIN};
    ck_assert_msg(poll(&p, 1, RIG_TIMEOUT_MSEC) == 1, "the keeper does not listen");
    ssize_t n = read(p.fd, text, sizeof(text));
    ck_assert_int_eq(n, r->cgroup[0] ? (ssize_t)strlen("READY=1") : 0);
    close(fds[0]);
}

static int connect_to(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
    strcpy(address.sun_path, path);
    ck_assert_msg(connect(fd, (struct sockaddr *)&address, sizeof(address)) >= 0, "%s: %m", path);
    return fd;
}

void rig_connect(Rig *r) {
    char path[PATH_MAX];

    close_fd(r->keeper_fd);
    snprintf(path, sizeof(path), "%s/" KEEPER_SOCKET, r->run);
    r->keeper_fd = connect_to(path);
}

static ssize_t receive(int fd, char buf[static FIELDS_MAX + 1]) {
    struct pollfd p = {.fd = fd, .events = POLLIN};

    ck_assert_msg(poll(&p, 1, RIG_TIMEOUT_MSEC) == 1, "the other side says nothing");
    ssize_t n = recv(fd, buf, FIELDS_MAX, 0);
    ck_assert_msg(n >= 0, "recv: %m");
    buf[n] = '\0';
    return n;
}

bool rig_keeper_message(Rig *r, char buf[static FIELDS_MAX + 1]) {
    return receive(r->keeper_fd, buf) > 0;
}

static bool note_fact(Rig *r, const char *key, const char *value) {
    if (streq(key, KEEPER_LIVE_END))
        return true;
    if (streq(key, KEEPER_LIVE)) {
        ck_assert_uint_lt(r->n_live, ELEMENTSOF(r->live));
        r->live[r->n_live++] = strtoull(value, NULL, 10);
        return false;
    }
    ck_assert_uint_lt(r->n_facts, ELEMENTSOF(r->facts));
    snprintf(r->facts[r->n_facts].key, sizeof(r->facts[0].key), "%s", key);
    snprintf(r->facts[r->n_facts++].value, sizeof(r->facts[0].value), "%s", value);
    return false;
}

void rig_hello(Rig *r, const char *version) {
    char message[FIELDS_MAX + 1];
    bool end = false;

    if (r->keeper_fd < 0)
        rig_connect(r);
    int n = snprintf(message, sizeof(message), KEEPER_HELLO "=%s\n", version);
    ck_assert_int_eq(send(r->keeper_fd, message, (size_t)n, MSG_NOSIGNAL), n);
    r->n_facts = r->n_live = 0;
    while (!end) {
        ck_assert_msg(rig_keeper_message(r, message), "the keeper has gone");
        char *cursor = message;
        for (const char *key, *value; fields_next(&cursor, &key, &value);)
            end = note_fact(r, key, value) || end;
    }
}

const char *rig_fact(Rig *r, const char *key) {
    for (size_t i = 0; i < r->n_facts; i++)
        if (streq(r->facts[i].key, key))
            return r->facts[i].value;
    return NULL;
}

bool rig_is_live(Rig *r, uint64_t id) {
    for (size_t i = 0; i < r->n_live; i++)
        if (r->live[i] == id)
            return true;
    return false;
}

void rig_wait_lost(Rig *r, uint64_t id) {
    char message[FIELDS_MAX + 1];

    while (rig_keeper_message(r, message)) {
        char *cursor = message;
        for (const char *key, *value; fields_next(&cursor, &key, &value);)
            if (streq(key, KEEPER_LOST) && strtoull(value, NULL, 10) == id)
                return;
    }
    ck_abort_msg("the keeper has gone");
}

void rig_end_keeper(Rig *r) {
    int status;

    r->keeper_fd = close_fd(r->keeper_fd);
    if (r->keeper < 0)
        return;
    if (r->cgroup[0])
        ck_assert_int_eq(kill(r->keeper, SIGTERM), 0);
    ck_assert_int_eq(waitpid(r->keeper, &status, 0), r->keeper);
    ck_assert_int_eq(status, 0);
    r->keeper = -1;
}

void rig_send_spawn(Rig *r, uint64_t id, int spec_fd, int control_fd) {
    const int fds[2] = {spec_fd, control_fd};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(fds))];
    } control = {.header = {.cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS,
                            .cmsg_len = CMSG_LEN(sizeof(fds))}};
    char text[64];
    int n = snprintf(text, sizeof(text), KEEPER_SPAWN "=%" PRIu64 "\n", id);
    struct iovec iov = {.iov_base = text, .iov_len = (size_t)n};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = sizeof(control)};

    memcpy(CMSG_DATA(&control.header), fds, sizeof(fds));
    ck_assert_int_eq(sendmsg(r->keeper_fd, &msg, MSG_NOSIGNAL), n);
}

static void start_raw(Rig *r, uint64_t id, const void *spec, size_t size) {
    _cleanup_close_ int fd = memfd_new("job", spec, size);

    ck_assert_int_ge(fd, 0);
    if (r->keeper < 0)
        rig_start_keeper(r);
    if (r->keeper_fd < 0)
        rig_hello(r, LONGRUN_VERSION);
    rig_send_spawn(r, id, fd, r->shim_control);
    r->shim_control = close_fd(r->shim_control);
}

void rig_start_raw(Rig *r, const void *spec, size_t size) {
    start_raw(r, RIG_TASK_ID, spec, size);
}

void rig_start_id(Rig *r, uint64_t id) {
    rig_add(r, SHIM_SPEC_ID, "%" PRIu64, id);
    rig_add(r, SHIM_SPEC_RUNTIME_DIR, "%s/task-%" PRIu64, r->run, id);
    rig_add(r, SHIM_SPEC_LOG_DIR, "%s", r->log_dir ?: r->dir);
    if (r->stdin_data) {
        add_bytes(r, SHIM_SPEC_STDIN "=", strlen(SHIM_SPEC_STDIN "="));
        add_bytes(r, r->stdin_data, r->stdin_size);
        add_bytes(r, "", 1);
    }
    start_raw(r, id, r->spec, r->spec_size);
}

void rig_start(Rig *r) {
    rig_start_id(r, RIG_TASK_ID);
}

void rig_start_shell(Rig *r, const char *script) {
    rig_add(r, SHIM_SPEC_CWD, "%s", r->dir);
    rig_add(r, SHIM_SPEC_ENV, "PATH=/usr/bin:/bin");
    rig_shell(r, script);
    rig_start(r);
}

/* ---- the shim ---- */

void rig_send(Rig *r, const char *message) {
    ck_assert_int_eq(send(r->control, message, strlen(message), MSG_NOSIGNAL),
                     (ssize_t)strlen(message));
}

void rig_send_text(Rig *r, const char *text) {
    char message[FIELDS_MAX];

    snprintf(message, sizeof(message), SHIM_MESSAGE "=%s\n", text);
    rig_send(r, message);
}

static void note(Rig *r, const char *key, const char *value) {
    size_t i;

    if (streq(key, NOTIFY_MESSAGE)) {
        ck_assert_int_eq(strv_push(&r->texts, &r->n_texts, strdup(value)), 0);
        return;
    }
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
    char message[FIELDS_MAX + 1];

    ssize_t n = receive(r->control, message);
    if (n == 0)
        return false;
    memcpy(r->last, message, (size_t)n + 1);
    r->messages++;

    char *cursor = message;
    for (const char *key, *value; fields_next(&cursor, &key, &value);)
        note(r, key, value);
    if (rig_value(r, SHIM_STARTED) && r->command <= 0) {
        r->command = atoi(rig_value(r, SHIM_STARTED));
        r->shim = rig_parent(r->command);
    }
    return true;
}

void rig_take_up(Rig *r) {
    char path[PATH_MAX];

    close_fd(r->control);
    snprintf(path, sizeof(path), "%s/task-%d/" SHIM_CONTROL_NAME, r->run, RIG_TASK_ID);
    r->control = connect_to(path);
    r->n_values = r->messages = 0;
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

uint64_t rig_count(Rig *r, const char *key) {
    return strtoull(strempty(rig_value(r, key)), NULL, 10);
}

void rig_wait_count(Rig *r, const char *key, uint64_t n) {
    while (rig_count(r, key) < n)
        ck_assert_msg(rig_receive(r), "the end came before %s=%" PRIu64, key, n);
    ck_assert_uint_eq(rig_count(r, key), n);
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

    /* The record has the last message, and before it what else was told last. */
    _cleanup_free_ char *record = rig_read_record(r, RIG_TASK_ID);
    ck_assert_ptr_nonnull(record);
    ck_assert_uint_ge(strlen(record), strlen(r->last));
    ck_assert_str_eq(record + strlen(record) - strlen(r->last), r->last);
}

/* ---- processes ---- */

bool rig_is_alive(pid_t pid) {
    return kill(pid, 0) >= 0 || errno != ESRCH;
}

void rig_wait_gone(pid_t pid) {
    uint64_t deadline = clock_usec(CLOCK_MONOTONIC) + RIG_TIMEOUT_MSEC * USEC_PER_MSEC;

    while (rig_is_alive(pid)) {
        ck_assert_msg(clock_usec(CLOCK_MONOTONIC) < deadline, "%d lives on", pid);
        sched_yield();
    }
}

pid_t rig_parent(pid_t pid) {
    char path[64];
    int parent = -1;

    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    _cleanup_fclose_ FILE *f = fopen(path, "re");
    if (f && fscanf(f, "%*d (%*[^)]) %*c %d", &parent) != 1)
        return -1;
    return parent;
}

char rig_state(pid_t pid) {
    char path[64], state = '?';

    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    _cleanup_fclose_ FILE *f = fopen(path, "re");
    if (!f || fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
        return '?';
    return state;
}

void rig_wait_state(pid_t pid, char state) {
    uint64_t deadline = clock_usec(CLOCK_MONOTONIC) + RIG_TIMEOUT_MSEC * USEC_PER_MSEC;

    while (rig_state(pid) != state) {
        ck_assert_uint_lt(clock_usec(CLOCK_MONOTONIC), deadline);
        sched_yield();
    }
}

static long switches(pid_t pid) {
    char path[64], line[256];
    long sum = 0, n;

    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    _cleanup_fclose_ FILE *f = fopen(path, "re");
    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof(line), f)) {
        const char *colon = strstr(line, "ctxt_switches:");
        if (colon && sscanf(colon, "ctxt_switches: %ld", &n) == 1)
            sum += n;
    }
    return sum;
}

/* The last wake-up, for the end of a pipe, may be yet to come. */
void rig_check_idle(Rig *r) {
    poll(NULL, 0, 100);
    long before = switches(r->shim);
    poll(NULL, 0, 300);
    ck_assert_int_eq(switches(r->shim), before);
}

unsigned char rig_pattern(uint64_t offset) {
    return (unsigned char)((offset * UINT64_C(0x9e3779b97f4a7c15)) >> 56);
}
