#include <errno.h>
#include <inttypes.h>

#include "common/log.h"
#include "daemon/manager-private.h"

/* Parents and children. A parent ends after its children: when its own work is over and there are
 * some, it is noted how it will end, on disk too, and it waits for them without a slot. */

/* ---- new children ---- */

int manager_check_parent(const Manager *m, uint64_t id, Error *error) {
    const Task *parent = id > 0 ? task_table_find(&m->tasks, id) : NULL;

    if (id == 0)
        return 0;
    if (!parent)
        return error_set(error, ERROR_NO_SUCH_TASK,
                         "parent: there is no task %" PRIu64 ": it never was, or has been removed",
                         id);
    if (task_is_final(parent))
        return error_set(error, ERROR_NOT_RUNNING,
                         "parent: task %" PRIu64 " has ended already: only one that has not can "
                         "have children",
                         id);
    if (task_spec_is_series(parent->spec))
        return error_set(error, ERROR_INVALID_OPTION,
                         "parent: task %" PRIu64 " is a series, and has no children but its runs",
                         id);
    if (parent->cancel_requested || parent->state == TASK_CANCELLING)
        return error_set(error, ERROR_NOT_RUNNING,
                         "parent: task %" PRIu64 " is being cancelled, with all its children", id);
    return 0;
}

int manager_tie_to_parent(Manager *m, Task *t) {
    Task *parent = t->spec->parent > 0 ? task_table_find(&m->tasks, t->spec->parent) : NULL;

    return parent && !task_is_final(parent) ? task_ties_set_parent(t, parent) : 0;
}

/* ---- ends ---- */

static void on_own_end_committed(void *userdata, void *arg, int error) {
    Task *t = arg;

    if (!task_is_final(t) && t->run)
        manager_clear_traces(t->run);
}

/* What is shown as long as it waits for them. */
static TaskState waiting_state(const Task *t) {
    return task_is_pending(t) || t->state == TASK_CANCELLING ? TASK_CANCELLING : TASK_RUNNING;
}

/* One that may have to be withdrawn has nobody to whom an end could be told: it waits until its row
 * is on disk, see manager-start.c. */
static bool may_end(const Task *t) {
    return task_child_count(t) == 0 && (t->stored || !t->is_new);
}

bool manager_await_end(Manager *m, Task *t, TaskState state) {
    bool pending = task_is_pending(t);

    if (may_end(t))
        return false;
    t->end_state = state;
    t->pid = 0;
    if (t->state != waiting_state(t)) {
        manager_set_state(t, waiting_state(t));
        if (t->stored)
            manager_publish_state(m, t);
    }
    if (task_child_count(t) > 0)
        log_full(LOG_INFO, t->id, "its own work is over (%s), children that are active: %u",
                 task_state_to_string(state), task_child_count(t));
    commit_queue_put(m->commits, t);
    /* One that may be withdrawn has not run, and is gone then. */
    if (t->run)
        commit_queue_call(m->commits, on_own_end_committed, m, t);
    /* Without having begun there is nothing that they could be children of. */
    if (pending && !t->cancel_requested) {
        t->cancel_requested = true;
        manager_cancel_children(m, t);
    }
    return true;
}

Task *manager_leave_parent(Task *t) {
    Task *parent = task_ties_leave_parent(t);

    return parent && parent->end_state != _TASK_STATE_INVALID && task_child_count(parent) == 0
               ? parent
               : NULL;
}

/* ---- cancel ---- */

/* The farthest from the root come first: so one that has not begun ends at once, with no children
 * to wait for. It is a copy, for tasks that end leave the tree, and may take others along that wait
 * for them. */
void manager_cancel_children(Manager *m, Task *root) {
    _cleanup_free_ Task **tasks = NULL;
    size_t n = 0;

    if (task_child_count(root) == 0)
        return;
    for (Task *t = root; (t = task_next_in_tree(root, t));)
        n++;
    tasks = calloc(n, sizeof(Task *));
    if (!tasks) {
        log_full(LOG_ERR, root->id, "Cannot cancel its children: %s", strerror(ENOMEM));
        return;
    }
    n = 0;
    for (Task *t = root; (t = task_next_in_tree(root, t));)
        tasks[n++] = t;
    while (n-- > 0)
        if (!task_is_final(tasks[n]))
            manager_cancel_alone(m, tasks[n]);
}

/* It comes first itself: what ends below it must not make it begin anything anew. */
void manager_cancel_task(void *userdata, Task *t) {
    if (t->cancel_requested)
        return;
    manager_cancel_alone(userdata, t);
    manager_cancel_children(userdata, t);
}

/* ---- words ---- */

char *manager_tree_reason(const Task *t) {
    unsigned n = task_child_count(t);
    char *text;

    if (n == 0)
        return strdup("");
    if (asprintf(&text, "its own work is over (%s); it waits for %u %s",
                 task_state_to_string(t->end_state), n, n == 1 ? "child" : "children") < 0)
        return NULL;
    return text;
}
