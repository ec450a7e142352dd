#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "common/log.h"
#include "common/shim-protocol.h"
#include "daemon/exec/cgroup-leaf.h"
#include "daemon/exec/exec-shim-private.h"
#include "daemon/exec/stray-search.h"

/* Tasks whose shim says nothing: it has ended, with an exit record or without. Found out by a
 * timer, which also tells the ends that became known elsewhere than on the loop. */

/* What does not die of SIGKILL hangs in the kernel or belongs to another user: the pause grows. */
#define INTERVAL_MIN_USEC (5 * USEC_PER_MSEC)
#define INTERVAL_MAX_USEC (1 * USEC_PER_SEC)

/* Ends told in one turn of the loop: each may make room for a task that ends just as quickly. */
#define ENDS_A_TURN 64

#define SPAWNS_MAX 3   /* a keeper that dies of the task's order will do so again */
#define CONNECTS_MAX 3 /* to a shim that lets us in and says nothing */

static const ShimEnd lost_end = {.exit_code = -1, .lost = true};
static const ShimEnd never_made_end = {.exit_code = -1, .never_made = true};

/* ---- a shim that says nothing ---- */

bool shim_left_trace(const char *runtime_dir) {
    static const char *const names[] = {SHIM_CONTROL_NAME, SHIM_EXIT_NEW_NAME, SHIM_EXIT_NAME};
    char path[PATH_MAX];

    for (size_t i = 0; i < ELEMENTSOF(names); i++)
        if ((size_t)snprintf(path, sizeof(path), "%s/%s", runtime_dir, names[i]) >= sizeof(path) ||
            faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) >= 0 || errno != ENOENT)
            return true;
    return false;
}

/* A keeper ends what its own shims leave behind, but not, without cgroups, what those of a keeper
 * before it do: so we look, too. */
static void begin_strays(ShimJob *j) {
    if (!j->untraced)
        log_full(LOG_WARNING, j->id, "longrun-shim was lost: ending its processes");
    shim_job_close_control(j);
    shim_job_set_state(j, SHIM_JOB_STRAYS);
}

/* 1: what is to be done now is known; 0: there is no record; or -errno of the moment. */
static int take_record(ShimJob *j) {
    int r = shim_record_read(j->runtime_dir, &j->record_data, &j->record);

    if (r == -ENOENT)
        return 0;
    if (r == -EBADMSG)
        log_full(LOG_WARNING, j->id, "Its exit record in %s is no such thing", j->runtime_dir);
    else if (r < 0)
        return r;
    if (r < 0 || j->record.end.lost)
        begin_strays(j);
    else
        shim_job_end(j, &j->record.end);
    return 1;
}

static void spawn_again(ShimJob *j) {
    log_full(LOG_NOTICE, j->id, "The keeper has ended before it started this: trying another");
    shim_job_set_state(j, SHIM_JOB_WAITING);
}

static bool reconnect(ShimJob *j) {
    if (j->connects >= CONNECTS_MAX || shim_job_connect(j) < 0)
        return false;
    j->connects++;
    shim_job_set_state(j, SHIM_JOB_RUNNING);
    shim_job_repeat_wishes(j);
    return true;
}

/* The record is there before the shim stops listening, and before the keeper forgets it. */
static void look_for_end(ShimJob *j) {
    if (reconnect(j) || take_record(j) != 0 || keeper_link_is_busy(j->executor->link) || j->known)
        return;
    bool traced = shim_left_trace(j->runtime_dir);
    if (j->job_fd >= 0 && !traced && j->spawns < SPAWNS_MAX) {
        spawn_again(j);
        return;
    }
    /* Taken up while a keeper was busy, which now has answered that it has none, or has gone. */
    j->untraced = j->spawns == 0 && !traced;
    begin_strays(j);
}

/* A shim that is dead has closed its control socket. One that has not is that of the next attempt,
 * or is yet to be made, and the word is about the one before, whose record was quicker. */
void shim_settle_lost(ShimExecutor *x, uint64_t id) {
    ShimJob *j;

    HASH_FIND(hh, x->jobs, &id, sizeof(id), j);
    if (j && j->state == SHIM_JOB_RUNNING)
        shim_job_drain(j);
    HASH_FIND(hh, x->jobs, &id, sizeof(id), j);
    if (!j || j->state != SHIM_JOB_SILENT)
        return;
    /* Without a record, for its disk may be full, the keeper's word is enough. */
    if (take_record(j) <= 0)
        begin_strays(j);
}

/* ---- what it left behind ---- */

static void on_stray(void *userdata, uint64_t id, int pidfd) {
    ShimExecutor *x = userdata;
    ShimJob *j;

    HASH_FIND(hh, x->jobs, &id, sizeof(id), j);
    if (!j || j->state != SHIM_JOB_STRAYS)
        return;
    (void)pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
    j->strays++;
    j->untraced = false;
}

/* True when this found them out: by its cgroup. */
static bool end_cgroup(ShimJob *j) {
    char path[PATH_MAX];

    if (!j->executor->cgroup ||
        cgroup_leaf_path(path, sizeof(path), j->executor->cgroup, j->id) < 0)
        return false;
    int r = cgroup_leaf_end(path);
    if (r < 0) {
        log_full(LOG_WARNING, j->id, "Cannot end its processes in %s, looking for them: %s", path,
                 strerror(-r));
        return false;
    }
    j->strays = (unsigned)r;
    j->untraced = j->untraced && r == 0;
    return true;
}

/* All of them in one walk over the processes. */
static void end_strays(ShimExecutor *x) {
    bool search = false;
    ShimJob *next;

    for (ShimJob *j = TAILQ_FIRST(&x->settling); j; j = TAILQ_NEXT(j, link)) {
        j->strays = 0;
        if (j->state == SHIM_JOB_STRAYS && !end_cgroup(j))
            search = true;
    }
    int r = search ? stray_search(x->runtime_dir, on_stray, x) : 0;
    if (r < 0) {
        log_warning_errno(r, "Cannot look for processes without a shim, trying again");
        return;
    }
    for (ShimJob *j = TAILQ_FIRST(&x->settling); j; j = next) {
        next = TAILQ_NEXT(j, link);
        if (j->state == SHIM_JOB_STRAYS && j->strays == 0)
            shim_job_end(j, j->untraced ? &never_made_end : &lost_end);
    }
}

/* ---- the timer ---- */

static void set_timer(ShimExecutor *x, uint64_t usec) {
    int r = sd_event_source_set_time_relative(x->timer, usec);

    if (r >= 0)
        r = sd_event_source_set_enabled(x->timer, SD_EVENT_ONESHOT);
    if (r < 0)
        log_error_errno(r, "Cannot set a timer");
}

void shim_settle_soon(ShimExecutor *x) {
    x->interval_usec = INTERVAL_MIN_USEC;
    set_timer(x, 0);
}

static void tell_ends(ShimExecutor *x) {
    ShimJob *j;

    for (int i = 0; i < ENDS_A_TURN && (j = TAILQ_FIRST(&x->ended)); i++)
        shim_job_tell_end(j);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
    ShimExecutor *x = userdata;
    uint64_t interval = x->interval_usec;
    ShimJob *next;

    for (ShimJob *j = TAILQ_FIRST(&x->settling); j; j = next) {
        next = TAILQ_NEXT(j, link);
        if (j->state == SHIM_JOB_SILENT)
            look_for_end(j);
    }
    end_strays(x);
    if (!TAILQ_EMPTY(&x->waiting))
        shim_spawn_waiting(x);
    if (!TAILQ_EMPTY(&x->settling)) {
        set_timer(x, interval);
        x->interval_usec = MIN(interval * 2, INTERVAL_MAX_USEC);
    }
    tell_ends(x);
    if (!TAILQ_EMPTY(&x->ended))
        shim_settle_soon(x);
    return 0;
}

int shim_settle_init(ShimExecutor *x) {
    int r = sd_event_add_time(x->event, &x->timer, CLOCK_MONOTONIC, 0, 1, on_timer, x);

    return r < 0 ? r : sd_event_source_set_enabled(x->timer, SD_EVENT_OFF);
}
