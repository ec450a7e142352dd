#include "tests/unit/keeper-rig.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/parse.h"
#include "common/shim-protocol.h"
#include "common/strv.h"
#include "tests/unit/unit.h"

/* ---- sockets ---- */

static int listen_at(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    MUST(fd >= 0);
    MUST(strlen(path) < sizeof(address.sun_path));
    strcpy(address.sun_path, path);
    (void)unlink(path);
    MUST(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    MUST(listen(fd, 16) == 0);
    return fd;
}

void rig_shim_say(int fd, const char *text) {
    MUST(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
}

char *rig_shim_hear(int fd) {
    char data[FIELDS_MAX + 1];
    ssize_t n = recv(fd, data, FIELDS_MAX, MSG_DONTWAIT);

    return n <= 0 ? NULL : strndup(data, (size_t)n);
}

/* ---- the stand-in ---- */

static void answer(KeeperRig *rig) {
    Fields f = {};

    rig->hellos++;
    fields_add(&f, KEEPER_VERSION, "1");
    fields_add(&f, KEEPER_ISOLATION, rig->isolation);
    fields_add(&f, KEEPER_CGROUP, rig->cgroup);
    fields_add(&f, KEEPER_CONTROLLERS, "");
    MUST(send(rig->fd, f.data, f.size, MSG_NOSIGNAL) > 0);
    /* Each in a message of its own, as when there are many. */
    for (size_t i = 0; rig->live[i]; i++) {
        f.size = 0;
        fields_addf(&f, KEEPER_LIVE, "%" PRIu64, rig->live[i]);
        MUST(send(rig->fd, f.data, f.size, MSG_NOSIGNAL) > 0);
    }
    keeper_rig_say(rig, KEEPER_LIVE_END "=1\n");
}

static void take_order(KeeperRig *rig, const char *id, struct msghdr *message) {
    struct cmsghdr *c = CMSG_FIRSTHDR(message);
    RigOrder *o = &rig->orders[rig->n_orders++];

    MUST(rig->n_orders <= KEEPER_RIG_ORDERS);
    MUST(c && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(2 * sizeof(int)));
    MUST(parse_u64(id, &o->id) == 0);
    memcpy(&o->job_fd, CMSG_DATA(c), sizeof(int));
    memcpy(&o->control_fd, CMSG_DATA(c) + sizeof(int), sizeof(int));
}

static void handle_message(KeeperRig *rig, char *data, struct msghdr *message) {
    const char *key, *value;

    while (fields_next(&data, &key, &value))
        if (streq(key, KEEPER_HELLO))
            answer(rig);
        else if (streq(key, KEEPER_SPAWN))
            take_order(rig, value, message);
        else
            ck_abort_msg("the keeper was told %s=%s", key, value);
}

static int on_message(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
    KeeperRig *rig = userdata;
    char data[FIELDS_MAX + 1], control[CMSG_SPACE(4 * sizeof(int))];
    struct iovec part = {.iov_base = data, .iov_len = FIELDS_MAX};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    if (n <= 0) {
        (void)sd_event_source_set_enabled(s, SD_EVENT_OFF);
        return 0;
    }
    data[n] = '\0';
    handle_message(rig, data, &message);
    return 0;
}

static int on_connection(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
    KeeperRig *rig = userdata;

    sd_event_source_disable_unref(rig->source);
    close_fd(rig->fd);
    rig->fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    MUST(rig->fd >= 0);
    MUST(sd_event_add_io(rig->event, &rig->source, rig->fd, EPOLLIN, on_message, rig) >= 0);
    if (rig->deaf)
        (void)sd_event_source_set_enabled(rig->source, SD_EVENT_OFF);
    return 0;
}

void keeper_rig_listen(KeeperRig *rig) {
    rig->listen_fd = listen_at(unit_path(KEEPER_SOCKET));
    MUST(sd_event_add_io(rig->event, &rig->listen_source, rig->listen_fd, EPOLLIN, on_connection,
                         rig) >= 0);
}

void keeper_rig_close(KeeperRig *rig) {
    rig->listen_source = sd_event_source_disable_unref(rig->listen_source);
    rig->source = sd_event_source_disable_unref(rig->source);
    rig->listen_fd = close_fd(rig->listen_fd);
    rig->fd = close_fd(rig->fd);
}

void keeper_rig_hear(KeeperRig *rig) {
    rig->deaf = false;
    (void)sd_event_source_set_enabled(rig->source, SD_EVENT_ON);
}

void keeper_rig_say(KeeperRig *rig, const char *text) {
    rig_shim_say(rig->fd, text);
}

/* ---- connect() ---- */

static void *answer_once(void *arg) {
    KeeperRig *rig = arg;
    struct sockaddr_un unused;
    socklen_t size = sizeof(unused);
    char data[FIELDS_MAX + 1];

    /* The listening socket does not block, so this asks until somebody is there. */
    while ((rig->fd = accept4(rig->listen_fd, (struct sockaddr *)&unused, &size, SOCK_CLOEXEC)) < 0)
        sched_yield();
    ssize_t n = recv(rig->fd, data, FIELDS_MAX, 0);
    data[MAX(n, 0)] = '\0';
    MUST(n > 0 && strncmp(data, KEEPER_HELLO "=", 6) == 0);
    answer(rig);
    return NULL;
}

int keeper_rig_find(KeeperRig *rig) {
    pthread_t thread;

    MUST(pthread_create(&thread, NULL, answer_once, rig) == 0);
    int r = shim_executor_connect(rig->executor);
    MUST(pthread_join(thread, NULL) == 0);
    MUST(sd_event_add_io(rig->event, &rig->source, rig->fd, EPOLLIN, on_message, rig) >= 0);
    return r;
}

/* ---- events ---- */

static void note(ShimRigJob *j, const char *format, ...) _printf_(2, 3);
static void note(ShimRigJob *j, const char *format, ...) {
    char *event;
    va_list ap;

    MUST(j->job); /* nothing after the end, nothing from within the call that made it */
    va_start(ap, format);
    MUST(vasprintf(&event, format, ap) >= 0);
    va_end(ap);
    MUST(strv_push(&j->events, &j->n_events, event) == 0);
}

static void on_started(void *userdata, pid_t pid) {
    note(userdata, "started %d", pid);
}

static void on_progress(void *userdata, const ProgressNews *n) {
    const char *by =
        n->source == PROGRESS_SOURCE_NOTIFY ? "" : progress_source_to_string(n->source);

    if (n->fraction >= 0)
        note(userdata, "progress %.2f%s%s", n->fraction, *by ? " " : "", by);
    else
        note(userdata, "progress %" PRIu64 "/%" PRIu64 "%s%s%s", n->done, n->total,
             n->bytes ? " bytes" : "", *by ? " " : "", by);
}

static void on_phase(void *userdata, const char *phase) {
    note(userdata, "phase %s", phase);
}

static void on_status(void *userdata, const char *text) {
    note(userdata, "status %s", text);
}

static void on_log_grew(void *userdata, uint64_t size) {
    note(userdata, "log %" PRIu64, size);
}

static void on_reason(void *userdata, const char *text) {
    note(userdata, "reason %s", text);
}

static void on_paused(void *userdata, bool paused) {
    note(userdata, paused ? "paused" : "resumed");
}

static void on_usage(void *userdata, const TaskUsage *usage) {
    note(userdata, "usage %" PRIu64 " %" PRIu64, usage->cpu_usec, usage->memory_peak);
}

static void on_stdin_size(void *userdata, uint64_t size) {
    if (size > 0)
        note(userdata, "stdin %" PRIu64, size);
}

static void on_text(void *userdata, const char *text) {
    note(userdata, "message %s", text);
}

static void on_ended(void *userdata, const ExecOutcome *outcome) {
    ShimRigJob *j = userdata;

    note(j, "ended %s %d %s%s", task_state_to_string(outcome->state), outcome->exit_code,
         outcome->never_started ? "(never started) " : "", outcome->message);
    j->job = exec_job_free(j->job);
}

static const ExecEvents exec_events = {
    .started = on_started,
    .progress = on_progress,
    .phase = on_phase,
    .status = on_status,
    .log_grew = on_log_grew,
    .reason = on_reason,
    .paused = on_paused,
    .usage = on_usage,
    .stdin_size = on_stdin_size,
    .message = on_text,
    .ended = on_ended,
};

/* ---- jobs ---- */

static void task_dir(char *buf, size_t size, uint64_t id) {
    snprintf(buf, size, "%s/task-%" PRIu64, unit_dir, id);
}

int keeper_rig_start(KeeperRig *rig, ShimRigJob *j, uint64_t id) {
    char *const argv[] = {(char *)"prog", NULL}, *const env[] = {NULL};
    char dir[128];
    ShimSpec spec = {.id = id,
                     .attempt = 1,
                     .argv = argv,
                     .env = env,
                     .clear_env = true,
                     .cwd = "/srv",
                     .stop_timeout_usec = 10 * USEC_PER_SEC,
                     .log_dir = unit_dir,
                     .runtime_dir = dir};

    task_dir(dir, sizeof(dir), id);
    return keeper_rig_start_spec(rig, j, &spec);
}

int keeper_rig_start_spec(KeeperRig *rig, ShimRigJob *j, const ShimSpec *spec) {
    *j = (ShimRigJob){.rig = rig};
    return shim_job_start(rig->executor, spec, false, &exec_events, j, &j->job);
}

/* Up to where the keeper has the order. */
static int await_order(KeeperRig *rig) {
    shim_executor_use_unit(rig->executor, true, NULL);
    keeper_rig_until_orders(rig, 1);
    return rig->orders[0].control_fd;
}

int keeper_rig_start_ordered(KeeperRig *rig, ShimRigJob *j) {
    keeper_rig_listen(rig);
    ck_assert_int_eq(keeper_rig_start(rig, j, 7), 0);
    return await_order(rig);
}

int keeper_rig_start_open(KeeperRig *rig, ShimRigJob *j) {
    char *const argv[] = {(char *)"prog", NULL}, *const env[] = {NULL};
    char dir[128];
    ShimSpec spec = {.id = 7,
                     .attempt = 1,
                     .argv = argv,
                     .env = env,
                     .cwd = "/",
                     .stdin_open = true,
                     .log_dir = unit_dir,
                     .runtime_dir = dir};

    task_dir(dir, sizeof(dir), spec.id);
    keeper_rig_listen(rig);
    ck_assert_int_eq(keeper_rig_start_spec(rig, j, &spec), 0);
    return await_order(rig);
}

void keeper_rig_close_order(KeeperRig *rig, size_t i) {
    rig->orders[i].control_fd = close_fd(rig->orders[i].control_fd);
}

int keeper_rig_adopt(KeeperRig *rig, ShimRigJob *j, uint64_t id) {
    char dir[128];
    ShimAdoption a = {
        .id = id, .runtime_dir = dir, .program = "prog", .cwd = "/srv", .takes_messages = true};

    task_dir(dir, sizeof(dir), id);
    *j = (ShimRigJob){.rig = rig};
    return shim_job_adopt(rig->executor, &a, &exec_events, j, &j->job);
}

void shim_rig_expect(const ShimRigJob *j, const char *const *wanted) {
    size_t i = 0;

    for (; wanted[i]; i++) {
        ck_assert_msg(i < j->n_events, "event %zu is missing: %s", i, wanted[i]);
        ck_assert_str_eq(j->events[i], wanted[i]);
    }
    ck_assert_msg(i == j->n_events, "one event too many: %s", j->events[i]);
}

const char *shim_rig_last(const ShimRigJob *j) {
    return j->n_events > 0 ? j->events[j->n_events - 1] : "";
}

void shim_rig_done(ShimRigJob *j) {
    j->job = exec_job_free(j->job);
    j->events = strv_free(j->events);
    j->n_events = 0;
}

void rig_task_file(uint64_t id, const char *name, const char *text) {
    char dir[128], path[192];

    task_dir(dir, sizeof(dir), id);
    MUST(mkdir(dir, 0700) == 0 || errno == EEXIST);
    snprintf(path, sizeof(path), "task-%" PRIu64 "/%s", id, name);
    unit_write(path, text, strlen(text));
}

int rig_task_listen(uint64_t id) {
    char dir[128], path[192];

    task_dir(dir, sizeof(dir), id);
    MUST(mkdir(dir, 0700) == 0 || errno == EEXIST);
    snprintf(path, sizeof(path), "%s/" SHIM_CONTROL_NAME, dir);
    return listen_at(path);
}

/* ---- what a lost shim leaves behind ---- */

pid_t rig_spawn_stray(uint64_t id, const char *dir) {
    char id_text[64], result[256];
    int ready[2];
    char c;

    MUST(pipe(ready) == 0);
    snprintf(id_text, sizeof(id_text), "LONGRUN_TASK_ID=%" PRIu64, id);
    snprintf(result, sizeof(result), "LONGRUN_RESULT=%s/task-%" PRIu64 "/result", dir, id);
    pid_t pid = fork();
    MUST(pid >= 0);
    if (pid == 0) {
        close(ready[0]);
        dup2(ready[1], STDOUT_FILENO);
        char *env[] = {id_text, result, NULL};
        execle("/bin/sh", "sh", "-c", "echo; trap '' TERM; while :; do sleep 100; done", NULL, env);
        _exit(1);
    }
    close(ready[1]);
    MUST(read(ready[0], &c, 1) == 1);
    close(ready[0]);
    return pid;
}

int rig_wait_signal(pid_t pid) {
    int status;

    MUST(waitpid(pid, &status, 0) == pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* ---- the loop ---- */

void keeper_rig_until(KeeperRig *rig, RigCondition condition, const void *arg) {
    uint64_t deadline = clock_usec(CLOCK_MONOTONIC) + KEEPER_RIG_DEADLINE_USEC;

    while (!condition(arg)) {
        MUST(clock_usec(CLOCK_MONOTONIC) < deadline);
        MUST(sd_event_run(rig->event, USEC_PER_SEC) >= 0);
    }
}

typedef struct RigWanted {
    const KeeperRig *rig;
    const ShimRigJob *job;
    const char *event;
    size_t n;
} RigWanted;

static bool has_orders(const void *arg) {
    const RigWanted *w = arg;
    return w->rig->n_orders >= w->n;
}

static bool has_event(const void *arg) {
    const RigWanted *w = arg;

    STRV_FOREACH (e, w->job->events)
        if (strncmp(*e, w->event, strlen(w->event)) == 0)
            return true;
    return false;
}

static bool was_asked(const void *arg) {
    const RigWanted *w = arg;
    return w->rig->asked >= w->n;
}

void keeper_rig_until_orders(KeeperRig *rig, size_t n) {
    keeper_rig_until(rig, has_orders, &(RigWanted){.rig = rig, .n = n});
}

void keeper_rig_until_asked(KeeperRig *rig, unsigned n) {
    keeper_rig_until(rig, was_asked, &(RigWanted){.rig = rig, .n = n});
}

void keeper_rig_until_event(KeeperRig *rig, const ShimRigJob *j, const char *event) {
    keeper_rig_until(rig, has_event, &(RigWanted){.job = j, .event = event});
}

void keeper_rig_until_ended(KeeperRig *rig, const ShimRigJob *j) {
    keeper_rig_until_event(rig, j, "ended");
}

void keeper_rig_settle(KeeperRig *rig) {
    int r;

    do
        r = sd_event_run(rig->event, 0);
    while (r > 0);
    MUST(r == 0);
}

/* ---- the rig ---- */

static void need_keeper(void *userdata) {
    KeeperRig *rig = userdata;

    rig->asked++;
    if (rig->answers)
        shim_executor_use_unit(rig->executor, false, "the test has none");
}

static void isolation(void *userdata) {
    ((KeeperRig *)userdata)->isolations++;
}

static const ShimExecutorEvents executor_events = {
    .need_keeper = need_keeper,
    .isolation = isolation,
};

void keeper_rig_setup(KeeperRig *rig) {
    sigset_t mask;

    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    log_set_max_level(LOG_CRIT);
    *rig = (KeeperRig){
        .listen_fd = -EBADF, .fd = -EBADF, .isolation = ISOLATION_PROCESS_GROUP, .cgroup = ""};
    MUST(sd_event_new(&rig->event) >= 0);
    keeper_rig_renew(rig, "/nonexistent");
}

void keeper_rig_renew(KeeperRig *rig, const char *libexec_dir) {
    shim_executor_free(rig->executor);
    MUST(shim_executor_new(&rig->executor, rig->event, libexec_dir, unit_dir) == 0);
    shim_executor_set_events(rig->executor, &executor_events, rig);
}

void keeper_rig_teardown(KeeperRig *rig) {
    rig->executor = shim_executor_free(rig->executor);
    keeper_rig_close(rig);
    for (size_t i = 0; i < rig->n_orders; i++) {
        close_fd(rig->orders[i].job_fd);
        close_fd(rig->orders[i].control_fd);
    }
    rig->event = sd_event_unref(rig->event);
}
