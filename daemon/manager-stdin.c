#include <inttypes.h>

#include "daemon/manager-private.h"

/* What clients write to the stdin of a task. */

static int has_none(const Task *t, Error *error) {
    if (!streq(t->spec->kind, TASK_KIND_COMMAND))
        return error_set(error, ERROR_INVALID_OPTION,
                         "Task %" PRIu64 " is no command, but a %s: nobody can write to its stdin",
                         t->id, t->spec->kind);
    return error_set(error, ERROR_INVALID_OPTION,
                     "The stdin of task %" PRIu64
                     " is not open: start it with stdin-open, which is "
                     "--stdin-open of \"longrun start\"",
                     t->id);
}

static int is_not_there(const Task *t, Error *error) {
    if (task_is_pending(t) || (t->state == TASK_STARTING && !t->run))
        return error_set(error, ERROR_NOT_RUNNING,
                         "Task %" PRIu64 " has not started: write to its stdin when it has", t->id);
    return error_set(error, ERROR_STDIN_CLOSED,
                     "Nothing reads the stdin of task %" PRIu64 ": it %s", t->id,
                     task_is_final(t)                      ? "has ended"
                     : t->end_state != _TASK_STATE_INVALID ? "only waits for its children"
                     : t->state == TASK_CANCELLING         ? "is being cancelled"
                                                           : "has ended its work");
}

static bool is_there(const Task *t) {
    return t->run && t->run->job && !task_is_pending(t) && t->state != TASK_CANCELLING;
}

int manager_write_stdin(void *userdata, Task *t, StdinWrite *w, Error *error) {
    if (!streq(t->spec->kind, TASK_KIND_COMMAND) || !t->spec->stdin_open)
        return has_none(t, error);
    if (!is_there(t))
        return is_not_there(t, error);
    int r = exec_job_write(t->run->job, w);
    return r < 0 ? stdin_write_error(t->id, w, r, error) : r;
}

void manager_drop_stdin(void *userdata, Task *t, StdinWrite *w) {
    exec_job_drop_write(t->run->job, w);
}
