#include <errno.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/parse.h"
#include "daemon/manager-private.h"

/* From a request to a task in the queue. */

/* They are shared, and so not counted with each request. */
static int check_environments(const Manager *m, Error *error) {
    char buf[FORMAT_MAX];

    if (env_table_size(m->envs) <= MANAGER_ENVIRONMENTS_MAX)
        return 0;
    return error_set(error, ERROR_QUEUE_FULL,
                     "the different environments of tasks that wait or run take more than %s: try "
                     "again when some have ended, or set fewer variables",
                     format_size(buf, MANAGER_ENVIRONMENTS_MAX));
}

static int find_groups(const Manager *m, TaskSpec *const *specs, size_t n, Group **ret,
                       Error *error) {
    for (size_t i = 0; i < n; i++) {
        int r = manager_find_group(m, specs[i]->group, &ret[i], error);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Each has been held against manager_check_spec() already: now what they are together. */
static int check_specs(Manager *m, TaskSpec **specs, size_t n, Group **groups, Error *error) {
    int r;

    if (m->stopping)
        return error_set(error, ERROR_NOT_PERMITTED,
                         "longrund is stopping: try again when it is back");
    r = check_environments(m, error);
    if (r >= 0)
        r = find_groups(m, specs, n, groups, error);
    return r < 0 ? r : scheduler_check_room(&m->scheduler, specs, groups, n, error);
}

/* It could not be written: whoever asked for it is told that there is no such task. */
static void withdraw(Manager *m, Task *t) {
    commit_queue_withdraw(m->commits, t);
    scheduler_remove(&m->scheduler, t);
    task_table_take(&m->tasks, t);
    group_task_withdrawn(t->group, t);
    bus_waits_task_withdrawn(m->bus->waits, t->id);
    task_free(t);
}

static void on_added(void *userdata, void *arg, int error) {
    Manager *m = userdata;
    Task *t = arg;

    if (error < 0 && !task_is_final(t)) {
        withdraw(m, t);
        return;
    }
    bus_publisher_task_added(m->bus->publisher, t);
    manager_schedule(m);
}

static void add_task(Manager *m, Task *t, Group *g) {
    task_table_add(&m->tasks, t);
    manager_enter(m, t, g);
    group_task_added(g, t);
    commit_queue_put(m->commits, t);
    if (commit_queue_add(m->commits, on_added, m, t) < 0)
        commit_queue_call(m->commits, on_added, m, t);
}

static Task *active_with_same_key(const Manager *m, const TaskSpec *spec) {
    return isempty(spec->unique) ? NULL : task_table_find_unique(&m->tasks, spec->unique);
}

static int make_task(Manager *m, TaskSpec **spec, Task **ret) {
    Task *t = task_new(m->next_id, *spec, clock_usec(CLOCK_REALTIME));

    if (!t)
        return -ENOMEM;
    m->next_id++;
    *spec = NULL;
    *ret = t;
    return 0;
}

/* Gives the id of the task, or of the active one that has the same unique key, which may have come
 * in the same request. */
static uint64_t enter_task(Manager *m, Task *t, Group *g) {
    Task *active = active_with_same_key(m, t->spec);

    if (active) {
        task_free(t);
        return active->id;
    }
    add_task(m, t, g);
    return t->id;
}

int manager_start_tasks(void *userdata, TaskSpec **specs, size_t n, uint64_t *ret_ids,
                        Error *error) {
    Manager *m = userdata;
    _cleanup_free_ Task **made = calloc(n + 1, sizeof(Task *));
    _cleanup_free_ Group **groups = calloc(n + 1, sizeof(Group *));
    int r = made && groups ? check_specs(m, specs, n, groups, error) : -ENOMEM;

    /* All that can fail comes first: all or none. */
    for (size_t i = 0; r >= 0 && i < n; i++) {
        const Task *active = active_with_same_key(m, specs[i]);
        if (active)
            ret_ids[i] = active->id;
        else
            r = make_task(m, &specs[i], &made[i]);
    }
    for (size_t i = 0; made && i < n; i++)
        if (r < 0)
            task_free(made[i]);
        else if (made[i])
            ret_ids[i] = enter_task(m, made[i], groups[i]);
    return r;
}
