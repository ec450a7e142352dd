#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "common/log.h"
#include "common/remove-tree.h"
#include "daemon/exec/result-file.h"
#include "daemon/logs/task-log.h"
#include "daemon/manager-private.h"

/* What clients ask of tasks that are there. */

int manager_kill_task(void *userdata, Task *t, int signal, Error *error) {
    int r = t->run && t->run->job ? exec_job_kill(t->run->job, signal) : -ESRCH;

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

    bus_publisher_label_changed(m->bus->publisher, arg);
}

void manager_set_label(void *userdata, Task *t, char *label) {
    Manager *m = userdata;

    free(t->spec->label);
    t->spec->label = label;
    commit_queue_call(m->commits, on_label_committed, m, t);
}

/* The result lies on a tmpfs of the login: it goes with the task. */
static void remove_runtime(const Manager *m, const Task *t) {
    _cleanup_free_ char *dir = state_dir_task_runtime(&m->dirs, t->id);

    if (dir && t->has_result)
        remove_tree(dir, NULL);
}

static void on_removed(void *userdata, void *arg, int error) {
    Manager *m = userdata;
    Task *t = arg;

    remove_runtime(m, t);
    task_log_remove(m->dirs.logs, t->id);
    bus_publisher_task_removed(m->bus->publisher, t->id);
    task_free(t);
}

void manager_remove_task(void *userdata, Task *t) {
    Manager *m = userdata;

    task_table_take(&m->tasks, t);
    t->spec->env = env_block_unref(t->spec->env);
    commit_queue_call(m->commits, on_removed, m, t);
}

int manager_open_log(void *userdata, Task *t, Error *error) {
    Manager *m = userdata;
    int fd = task_log_open(m->dirs.logs, t->id);

    if (fd < 0)
        return error_set(error, ERROR_STORAGE, "Cannot open the log of task %" PRIu64 ": %s", t->id,
                         strerror(-fd));
    return fd;
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

    if (t->log_size == 0)
        return 0;
    if (!run->tail)
        run->tail = log_tail_new(m->dirs.logs, t->id);
    return run->tail ? log_tail_read(run->tail, t->log_size, final, ret) : -ENOMEM;
}

int manager_take_result(void *userdata, Task *t,
                        void (*func)(void *arg, const char *result, const Error *error), void *arg,
                        Error *error) {
    Manager *m = userdata;
    _cleanup_free_ char *dir = state_dir_task_runtime(&m->dirs, t->id), *result = NULL;
    int r;

    if (!t->has_result)
        return error_set(error, ERROR_NO_RESULT,
                         "Task %" PRIu64 " has no result: it left none, or it was taken already",
                         t->id);
    r = dir ? result_file_take(dir, t->spec->result_max, &result) : -ENOMEM;
    if (r < 0)
        return error_set(error, ERROR_STORAGE, "Cannot read the result of task %" PRIu64 ": %s",
                         t->id, strerror(-r));
    t->has_result = false;
    (void)rmdir(dir);
    func(arg, result, NULL);
    return 0;
}
