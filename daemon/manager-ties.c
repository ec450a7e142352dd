#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/text.h"
#include "daemon/manager-private.h"

/* What a task waits for: ties are made when it is started, and again by the next daemon. When an
 * end is not as somebody needs it, that one is skipped, which is an end, too. */

static const struct {
    const char *option;
    DependencyKind kind;
    size_t offset;
} lists[] = {
    {"after", DEPENDENCY_AFTER, offsetof(TaskSpec, after)},
    {"after-any", DEPENDENCY_AFTER_ANY, offsetof(TaskSpec, after_any)},
    {"after-failed", DEPENDENCY_AFTER_FAILED, offsetof(TaskSpec, after_failed)},
};

static const IdList *list_of(const TaskSpec *spec, size_t i) {
    return *(IdList *const *)((const char *)spec + lists[i].offset);
}

/* ---- whether they can be made ---- */

int manager_check_needs(const Manager *m, const TaskSpec *spec, Error *error) {
    for (size_t i = 0; i < ELEMENTSOF(lists); i++) {
        const IdList *l = list_of(spec, i);
        for (size_t k = 0; k < id_list_length(l); k++)
            if (!task_table_find(&m->tasks, l->ids[k]))
                return error_set(error, ERROR_NO_SUCH_TASK,
                                 "%s: there is no task %" PRIu64
                                 ": it never was, or has been removed. \"longrun list --all\" "
                                 "shows those that are there",
                                 lists[i].option, l->ids[k]);
    }
    return 0;
}

/* ---- the ties of new tasks ---- */

/* Those that it waits for still. */
typedef struct Needs {
    Task **tasks;
    size_t n;
} Needs;

static int collect(Task *t, ManagerFindFunc find, void *userdata, Needs *needs,
                   const Task **ret_cause) {
    for (size_t i = 0; i < ELEMENTSOF(lists); i++) {
        const IdList *l = list_of(t->spec, i);
        for (size_t k = 0; k < id_list_length(l); k++) {
            Task *on = find(userdata, l->ids[k]);
            int r = on ? task_ties_add_dependency(t, lists[i].kind, on) : 0;
            if (r == -ESRCH && !*ret_cause)
                *ret_cause = on;
            else if (r < 0 && r != -ESRCH)
                return r;
            if (r > 0)
                needs->tasks[needs->n++] = on;
        }
    }
    return 0;
}

static size_t count_needs(const TaskSpec *spec) {
    size_t n = 0;

    for (size_t i = 0; i < ELEMENTSOF(lists); i++)
        n += id_list_length(list_of(spec, i));
    return n;
}

static int cycle_error(const Needs *needs, const Task *parent, Error *error) {
    const Task *on = needs->tasks[0];

    for (size_t i = 0; i < needs->n; i++)
        if (task_ties_would_cycle(&needs->tasks[i], 1, parent)) {
            on = needs->tasks[i];
            break;
        }
    if (on == parent)
        return error_set(error, ERROR_INVALID_OPTION,
                         "task %" PRIu64
                         " cannot be waited for and be the parent, too: it does not end before "
                         "its children have, so neither of the two ever would",
                         on->id);
    return error_set(error, ERROR_INVALID_OPTION,
                     "this task would wait for task %" PRIu64 ", which waits for task %" PRIu64
                     ", the parent, which does not end before its children have: none of them "
                     "ever would. Leave out the one or the other",
                     on->id, parent->id);
}

static int tie_needs(Task *t, const Task *parent, ManagerFindFunc find, void *userdata,
                     const Task **ret_cause, Error *error) {
    size_t n = count_needs(t->spec);
    _cleanup_free_ Task **tasks = n > 0 ? calloc(n, sizeof(Task *)) : NULL;
    Needs needs = {.tasks = tasks};

    if (n == 0)
        return 0;
    int r = tasks ? collect(t, find, userdata, &needs, ret_cause) : -ENOMEM;
    if (r < 0 || needs.n == 0 || !parent)
        return r;
    return task_ties_would_cycle(needs.tasks, needs.n, parent) ? cycle_error(&needs, parent, error)
                                                               : 0;
}

int manager_tie(Task *t, ManagerFindFunc find, void *userdata, const Task **ret_cause,
                Error *error) {
    Task *parent = t->spec->parent > 0 ? find(userdata, t->spec->parent) : NULL;

    if (parent && task_is_final(parent))
        parent = NULL;
    *ret_cause = NULL;
    int r = tie_needs(t, parent, find, userdata, ret_cause, error);
    if (r >= 0 && parent)
        r = task_ties_set_parent(t, parent);
    return r;
}

/* ---- those of the tasks of the daemon before ---- */

/* An end that somebody needs was told to those that wait in the same commit. So what is not on disk
 * any more has ended as it should have, and has been removed since. */
static int end_on_disk(Manager *m, ManagerEnds *ends, uint64_t id, TaskState *ret) {
    const size_t place = id % ELEMENTSOF(ends->cache);

    if (ends->cache[place].id != id) {
        TaskState state = TASK_SUCCEEDED;
        int r = store_final_state(m->store, id, &state);
        if (r < 0 && r != -ENOENT)
            return r;
        ends->cache[place].id = id;
        ends->cache[place].is_known = r >= 0;
        ends->cache[place].state = state;
    }
    *ret = ends->cache[place].state;
    return ends->cache[place].is_known;
}

static int tie_again(Manager *m, ManagerEnds *ends, Task *t, DependencyKind kind, uint64_t id,
                     ManagerCause *cause) {
    Task *on = task_table_find(&m->tasks, id);
    TaskState state;
    int r;

    if (on) {
        r = task_ties_add_dependency(t, kind, on);
        if (r == -ESRCH)
            *cause = manager_cause_of(on);
        return r == -ESRCH ? 0 : r;
    }
    r = end_on_disk(m, ends, id, &state);
    if (r > 0 && !dependency_is_met(kind, state))
        *cause = (ManagerCause){.id = id, .state = state};
    return r;
}

int manager_tie_again(Manager *m, ManagerEnds *ends, Task *t, ManagerCause *ret_cause) {
    ManagerCause cause = {};

    for (size_t i = 0; i < ELEMENTSOF(lists); i++) {
        const IdList *l = list_of(t->spec, i);
        for (size_t k = 0; k < id_list_length(l); k++) {
            int r = tie_again(m, ends, t, lists[i].kind, l->ids[k], &cause);
            if (r < 0)
                return r;
        }
    }
    *ret_cause = cause;
    return 0;
}

/* ---- tasks that are skipped ---- */

#define CAUSE_LABEL_MAX 60

ManagerCause manager_cause_of(const Task *t) {
    return (ManagerCause){
        .id = t->id,
        .state = t->state,
        .label = t->spec->label,
        .first = t->state == TASK_SKIPPED ? task_work(t)->reason : NULL,
    };
}

static const char *what_it_did(TaskState state) {
    switch (state) {
    case TASK_SUCCEEDED:
        return "succeeded";
    case TASK_FAILED:
        return "failed";
    case TASK_TIMED_OUT:
        return "timed out";
    case TASK_CANCELLED:
        return "was cancelled";
    case TASK_SKIPPED:
        return "was skipped";
    default:
        return "was interrupted";
    }
}

/* "task 12 (make) failed" */
static void describe(char *buf, size_t size, const ManagerCause *cause) {
    _cleanup_free_ char *label =
        isempty(cause->label) ? NULL
                              : text_clean(cause->label, strlen(cause->label), CAUSE_LABEL_MAX);

    snprintf(buf, size, "task %" PRIu64 "%s%s%s %s", cause->id, label ? " (" : "", strempty(label),
             label ? ")" : "", what_it_did(cause->state));
}

static bool names(const IdList *l, uint64_t id) {
    for (size_t i = 0; i < id_list_length(l); i++)
        if (l->ids[i] == id)
            return true;
    return false;
}

/* Reason is kept with the task and tells the first cause, however long the chain is. */
void manager_skip(Manager *m, Task *t, const ManagerCause *cause) {
    bool wants_success = cause->state != TASK_SUCCEEDED && names(t->spec->after, cause->id);
    bool has_first = !isempty(cause->first);
    char what[256], message[1024];

    describe(what, sizeof(what), cause);
    snprintf(message, sizeof(message), "%s, and this one was to come after its %s%s%s", what,
             wants_success ? "success" : "failure", has_first ? "; the first cause: " : "",
             has_first ? cause->first : "");
    task_set_reason(t, has_first ? cause->first : what);
    manager_finish_queued(m, t, TASK_SKIPPED, message);
}
