#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/log.h"
#include "daemon/logs/task-log.h"
#include "daemon/manager-private.h"

/* What clients ask of tasks that are there. */

int manager_kill_task(void *userdata, Task *t, int signal, Error *error) {
    int r = t->run && t->run->job ? exec_job_kill(t->run->job, signal) : -ESRCH;

    if (r == -EOPNOTSUPP && t->run->is_loop)
        return error_set(error, ERROR_NOT_RUNNING,
                         "Task %" PRIu64 " is at work on a server, and has no process to signal: "
                         "cancel it",
                         t->id);
    if (r == -EOPNOTSUPP)
        return error_set(error, ERROR_NOT_RUNNING,
                         "Task %" PRIu64 " runs on a thread of longrund and has no process to "
                         "signal: cancel it, or start it with isolate",
                         t->id);
    if (r == -EAGAIN)
        return error_set(error, ERROR_NOT_RUNNING,
                         "Task %" PRIu64 " has not taken the signals sent before: try again later",
                         t->id);
    if (r == -ESRCH || r == -EPIPE)
        return error_set(error, ERROR_NOT_RUNNING, "Task %" PRIu64 " has no processes: it is %s",
                         t->id, task_state_to_string(t->state));
    return r;
}

static void on_label_committed(void *userdata, void *arg, int error) {
    Manager *m = userdata;

    if (error < 0)
        return; /* the task may have been withdrawn */
    bus_publisher_label_changed(m->bus->publisher, arg);
}

void manager_set_label(void *userdata, Task *t, char *label) {
    Manager *m = userdata;

    task_spec_set_label(t->spec, label);
    commit_queue_put(m->commits, t);
    (void)commit_queue_add(m->commits, on_label_committed, m, t);
}

static void on_priority_committed(void *userdata, void *arg, int error) {
    Manager *m = userdata;

    if (error < 0)
        return; /* the task may have been withdrawn */
    bus_publisher_priority_changed(m->bus->publisher, arg);
}

void manager_set_priority(void *userdata, Task *t, int32_t priority) {
    Manager *m = userdata;

    manager_take_back_ahead(m);
    if (t->place == TASK_PLACE_NONE || t->place == TASK_PLACE_AHEAD)
        t->spec->priority = priority; /* on its way back to the scheduler, or about to begin */
    else
        scheduler_set_priority(&m->scheduler, t, priority);
    commit_queue_put(m->commits, t);
    (void)commit_queue_add(m->commits, on_priority_committed, m, t);
    manager_schedule(m);
}

int manager_open_log(void *userdata, Task *t, Error *error) {
    Manager *m = userdata;
    int fd = task_log_open(m->dirs.logs, t->id);

    if (fd < 0)
        return error_set(error, ERROR_STORAGE, "Cannot open the log of task %" PRIu64 ": %s", t->id,
                         strerror(-fd));
    return fd;
}

int manager_open_log_index(void *userdata, Task *t, Error *error) {
    Manager *m = userdata;
    int fd = task_log_open_index(m->dirs.logs, t->id);

    if (fd < 0)
        return error_set(error, ERROR_STORAGE,
                         "Cannot open the index of the log of task %" PRIu64 ": %s", t->id,
                         strerror(-fd));
    return fd;
}

char *manager_log_path(void *userdata, const Task *t) {
    Manager *m = userdata;

    return t->log_size > 0 ? task_log_path(m->dirs.logs, t->id) : strdup("");
}

int manager_read_log(void *userdata, Task *t, uint64_t offset, void *buf, size_t size,
                     uint64_t *ret_next, Error *error) {
    Manager *m = userdata;
    int n = task_log_read(m->dirs.logs, t->id, offset, buf, size, ret_next);

    if (n < 0)
        return error_set(error, ERROR_STORAGE, "Cannot read the log of task %" PRIu64 ": %s", t->id,
                         strerror(-n));
    return n;
}

int manager_new_log_lines(void *userdata, Task *t, bool final, LogLines *ret) {
    Manager *m = userdata;
    TaskRun *run = t->run;

    if (t->log_size == 0 || !run) /* it is in the queue again: the next attempt tells */
        return 0;
    if (!run->tail) {
        run->tail = log_tail_new(m->dirs.logs, t->id);
        /* The attempts before have told of theirs. */
        if (run->tail && t->log_begin > 0)
            log_tail_skip(run->tail, t->log_begin);
    }
    return run->tail ? log_tail_read(run->tail, t->log_size, final, ret) : -ENOMEM;
}

/* ---- results ---- */

typedef struct ResultCall {
    Manager *manager;
    uint64_t id;
    char *json;
    void (*func)(void *arg, const char *result, const Error *error);
    void *arg;
} ResultCall;

static void result_end(ResultCall *c, const char *json, int r) {
    _cleanup_error_ Error error = {};
    Task *t = task_table_find(&c->manager->tasks, c->id);

    if (r < 0) {
        error_set(&error, ERROR_STORAGE,
                  "Cannot take the result of task %" PRIu64 ": %s. Try again", c->id, strerror(-r));
        if (t)
            t->has_result = true;
    }
    c->func(c->arg, r < 0 ? NULL : json, &error);
    free(c->json);
    free(c);
}

/* It is gone from the disk: now it may be given out, once. */
static void on_result_removed(void *userdata, void *arg, int error) {
    ResultCall *c = arg;

    result_end(c, c->json, error);
}

static void on_result_read(void *userdata, int error, const char *json) {
    ResultCall *c = userdata;
    Manager *m = c->manager;
    Task *t = task_table_find(&m->tasks, c->id);
    int r = error < 0 ? error : !t || !json ? -ENODATA : 0;

    if (r >= 0) {
        c->json = strdup(json);
        r = c->json ? commit_queue_put_result(m->commits, c->id, NULL) : -ENOMEM;
    }
    if (r >= 0) {
        commit_queue_put(m->commits, t);
        r = commit_queue_add(m->commits, on_result_removed, m, c);
    }
    if (r < 0)
        result_end(c, NULL, r);
}

static void read_result(void *userdata, void *arg, int error) {
    ResultCall *c = arg;
    int r = error < 0 ? error : store_read_result(c->manager->store, c->id, on_result_read, c);

    if (r < 0)
        result_end(c, NULL, r);
}

int manager_take_result(void *userdata, Task *t,
                        void (*func)(void *arg, const char *result, const Error *error), void *arg,
                        Error *error) {
    Manager *m = userdata;
    ResultCall *c;
    int r;

    if (!t->has_result)
        return error_set(error, ERROR_NO_RESULT,
                         "Task %" PRIu64 " has no result: it left none, or it was taken already",
                         t->id);
    c = calloc(1, sizeof(ResultCall));
    if (!c)
        return -ENOMEM;
    *c = (ResultCall){.manager = m, .id = t->id, .func = func, .arg = arg};
    /* Behind the commit that puts it there. */
    r = commit_queue_add(m->commits, read_result, m, c);
    if (r < 0) {
        free(c);
        return r;
    }
    t->has_result = false; /* the next one to ask comes too late */
    return 0;
}
