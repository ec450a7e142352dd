#include "daemon/exec/exec-shim.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/shim-protocol.h"
#include "daemon/exec/exec-shim-private.h"

/* How long the start of the daemon waits for a keeper that is busy. */
#define FIND_TIMEOUT_USEC (5 * USEC_PER_SEC)

/* ---- starts ---- */

static int open_control(ShimJob *j, int *ret_shim_fd) {
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    *ret_shim_fd = pair[1];
    j->control_fd = pair[0];
    int r = shim_job_watch(j);
    if (r < 0) {
        j->control_fd = close_fd(j->control_fd);
        *ret_shim_fd = close_fd(*ret_shim_fd);
    }
    return r;
}

/* 0, -EAGAIN when the keeper has no room, or -errno. */
static int spawn(ShimJob *j, KeeperClient *keeper) {
    _cleanup_close_ int shim_fd = -EBADF;
    int r = lseek(j->job_fd, 0, SEEK_SET) < 0 ? -errno : open_control(j, &shim_fd);

    if (r < 0)
        return r;
    r = keeper_client_spawn(keeper, j->id, j->job_fd, shim_fd);
    if (r < 0) {
        shim_job_close_control(j);
        return r;
    }
    j->spawns++;
    j->known = true;
    shim_job_set_state(j, SHIM_JOB_RUNNING);
    shim_job_repeat_wishes(j);
    return 0;
}

void shim_spawn_waiting(ShimExecutor *x) {
    KeeperClient *keeper = keeper_link_client(x->link);

    if (!keeper && !TAILQ_EMPTY(&x->waiting))
        keeper_link_want(x->link);
    for (ShimJob *j; keeper && (j = TAILQ_FIRST(&x->waiting));) {
        int r = spawn(j, keeper);
        if (r == -EAGAIN)
            break;
        if (r < 0)
            shim_job_end_by_errno(j, r);
    }
}

/* ---- the keeper ---- */

static void set_isolation(ShimExecutor *x) {
    KeeperClient *keeper = keeper_link_client(x->link);
    const char *cgroup = keeper_client_cgroup(keeper);
    bool changed = !streq(x->isolation, keeper_client_isolation(keeper));

    snprintf(x->isolation, sizeof(x->isolation), "%s", keeper_client_isolation(keeper));
    free(x->cgroup);
    x->cgroup = cgroup[0] ? strdup(cgroup) : NULL;
    if (changed && x->events)
        x->events->isolation(x->userdata);
}

static void note_keeper(ShimExecutor *x) {
    KeeperClient *keeper = keeper_link_client(x->link);

    for (ShimJob *j = x->jobs; j; j = j->hh.next)
        j->known = j->state != SHIM_JOB_WAITING && keeper_client_has(keeper, j->id);
    set_isolation(x);
}

static void on_ready(void *userdata) {
    ShimExecutor *x = userdata;

    note_keeper(x);
    shim_settle_soon(x);
    shim_spawn_waiting(x);
}

static void on_lost(void *userdata, uint64_t id) {
    shim_settle_lost(userdata, id);
}

static void on_writable(void *userdata) {
    shim_spawn_waiting(userdata);
}

static void on_gone(void *userdata) {
    ShimExecutor *x = userdata;

    for (ShimJob *j = x->jobs; j; j = j->hh.next)
        j->known = false;
    shim_settle_soon(x);
    shim_spawn_waiting(x);
}

static void on_failed(void *userdata, int error) {
    ShimExecutor *x = userdata;

    for (ShimJob *j; (j = TAILQ_FIRST(&x->waiting));)
        shim_job_end_by_errno(j, error);
    shim_settle_soon(x);
}

static void on_needed(void *userdata) {
    ShimExecutor *x = userdata;

    if (x->events)
        x->events->need_keeper(x->userdata);
    else
        keeper_link_use_unit(x->link, false, "nobody asked for longrun-tasks.service");
}

static const KeeperLinkEvents link_events = {
    .needed = on_needed,
    .ready = on_ready,
    .lost = on_lost,
    .writable = on_writable,
    .gone = on_gone,
    .failed = on_failed,
};

int shim_executor_connect(ShimExecutor *x) {
    int r = keeper_link_find(x->link, FIND_TIMEOUT_USEC);

    if (r > 0)
        note_keeper(x);
    return r;
}

void shim_executor_use_unit(ShimExecutor *x, bool unit, const char *reason) {
    keeper_link_use_unit(x->link, unit, reason);
}

const char *shim_executor_isolation(const ShimExecutor *x) {
    return x->isolation;
}

/* ---- jobs ---- */

static ShimJob *find_job(ShimExecutor *x, uint64_t id) {
    ShimJob *j;

    HASH_FIND(hh, x->jobs, &id, sizeof(id), j);
    return j;
}

/* The job is in no list yet, for its state is none that the executor looks at. */
static int new_job(ShimExecutor *x, const ShimAdoption *a, const ExecEvents *events, void *userdata,
                   ShimJob **ret) {
    ShimJob *j;

    if (find_job(x, a->id))
        return -EEXIST;
    j = calloc(1, sizeof(ShimJob));
    if (!j)
        return -ENOMEM;
    *j = (ShimJob){
        .job = {.vtable = &shim_job_vtable, .events = events, .userdata = userdata},
        .executor = x,
        .state = SHIM_JOB_RUNNING,
        .id = a->id,
        .runtime_dir = strdup(a->runtime_dir),
        .program = strdup(a->program),
        .cwd = strdup(a->cwd),
        .stdin_file = strdup(strempty(a->stdin_file)),
        .isolated = a->isolated,
        .takes_messages = a->takes_messages,
        .limits = a->limits,
        .job_fd = -EBADF,
        .control_fd = -EBADF,
        .pause_wanted = -1,
    };
    TAILQ_INIT(&j->outbox);
    HASH_ADD(hh, x->jobs, id, sizeof(j->id), j);
    if (!j->runtime_dir || !j->program || !j->cwd || !j->stdin_file) {
        exec_job_free(&j->job);
        return -ENOMEM;
    }
    *ret = j;
    return 0;
}

int shim_job_start(ShimExecutor *x, const ShimSpec *spec, bool isolated, const ExecEvents *events,
                   void *userdata, ExecJob **ret) {
    ShimAdoption a = {.id = spec->id,
                      .runtime_dir = spec->runtime_dir,
                      .program = spec->argv[0],
                      .cwd = spec->cwd,
                      .stdin_file = spec->stdin_file,
                      .isolated = isolated,
                      .takes_messages = spec->stdin_open,
                      .limits = {.stop_timeout_usec = spec->stop_timeout_usec,
                                 .timeout_usec = spec->timeout_usec,
                                 .idle_timeout_usec = spec->idle_timeout_usec,
                                 .memory_max = spec->memory_max,
                                 .pids_max = spec->pids_max}};
    ShimJob *j;
    int r = new_job(x, &a, events, userdata, &j);

    if (r < 0)
        return r;
    j->job_fd = shim_spec_to_memfd(spec);
    if (j->job_fd < 0) {
        r = j->job_fd;
        exec_job_free(&j->job);
        return r;
    }
    shim_job_set_state(j, SHIM_JOB_WAITING);
    shim_spawn_waiting(x);
    *ret = &j->job;
    return 0;
}

/* The keeper has done everything that the daemon before asked it for when it answers: what has
 * left no trace until then is never started. */
int shim_job_adopt(ShimExecutor *x, const ShimAdoption *a, const ExecEvents *events, void *userdata,
                   ExecJob **ret) {
    KeeperClient *keeper = keeper_link_client(x->link);
    bool known = keeper && keeper_client_has(keeper, a->id);
    ShimJob *j;

    if (!known && !keeper_link_is_busy(x->link) && !shim_left_trace(a->runtime_dir))
        return -ENOENT;
    int r = new_job(x, a, events, userdata, &j);
    if (r < 0)
        return r;
    j->known = known;
    j->heard = true;
    if (shim_job_connect(j) < 0)
        shim_job_set_state(j, SHIM_JOB_SILENT);
    *ret = &j->job;
    return 0;
}

/* ---- the executor ---- */

int shim_executor_new(ShimExecutor **ret, sd_event *event, const char *libexec_dir,
                      const char *runtime_dir) {
    ShimExecutor *x = calloc(1, sizeof(ShimExecutor));
    int r = -ENOMEM;

    if (!x)
        return -ENOMEM;
    x->event = event;
    TAILQ_INIT(&x->waiting);
    TAILQ_INIT(&x->settling);
    TAILQ_INIT(&x->ended);
    x->runtime_dir = strdup(runtime_dir);
    if (x->runtime_dir)
        r = shim_settle_init(x);
    if (r >= 0)
        r = keeper_link_new(&x->link, event, libexec_dir, runtime_dir, &link_events, x);
    if (r < 0) {
        shim_executor_free(x);
        return r;
    }
    *ret = x;
    return 0;
}

void shim_executor_set_events(ShimExecutor *x, const ShimExecutorEvents *events, void *userdata) {
    x->events = events;
    x->userdata = userdata;
}

ShimExecutor *shim_executor_free(ShimExecutor *x) {
    ShimJob *j, *next;

    if (!x)
        return NULL;
    HASH_ITER (hh, x->jobs, j, next) {
        j->control_source = sd_event_source_disable_unref(j->control_source);
        j->executor = NULL;
    }
    HASH_CLEAR(hh, x->jobs);
    keeper_link_free(x->link);
    sd_event_source_disable_unref(x->timer);
    free(x->runtime_dir);
    free(x->cgroup);
    free(x);
    return NULL;
}
