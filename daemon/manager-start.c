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

/* Who is given an active task puts nothing in. */
static int check_room(Manager *m, TaskSpec *const *specs, Group *const *groups, size_t n,
                      Error *error) {
    _cleanup_free_ TaskSpec **coming = calloc(n + 1, sizeof(TaskSpec *));
    _cleanup_free_ Group **theirs = calloc(n + 1, sizeof(Group *));
    size_t n_coming = 0;

    if (!coming || !theirs)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        if (!isempty(specs[i]->unique) && task_table_find_unique(&m->tasks, specs[i]->unique))
            continue;
        coming[n_coming] = specs[i];
        theirs[n_coming++] = groups[i];
    }
    return scheduler_check_room(&m->scheduler, coming, theirs, n_coming, error);
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
    return r < 0 ? r : check_room(m, specs, groups, n, error);
}

/* It could not be written: whoever asked for it is told that there is no such task. */
static void withdraw(Manager *m, Task *t) {
    Task *parent = manager_leave_parent(t);

    commit_queue_withdraw(m->commits, t);
    if (t->end_state == _TASK_STATE_INVALID) /* else it is out of the queue already */
        scheduler_remove(&m->scheduler, t);
    task_table_take(&m->tasks, t);
    group_task_withdrawn(t->group, t);
    manager_tell_if_dry(m, t->group);
    bus_waits_task_withdrawn(m->bus->waits, t->id);
    task_free(t);
    if (parent)
        manager_end_after_children(m, parent);
}

static void on_added(void *userdata, void *arg, int error) {
    Manager *m = userdata;
    Task *t = arg;

    t->is_new = false;
    if (error < 0 && !task_is_final(t)) {
        withdraw(m, t);
        return;
    }
    bus_publisher_task_added(m->bus->publisher, t);
    if (t->end_state != _TASK_STATE_INVALID && task_child_count(t) == 0)
        manager_end_after_children(m, t);
    else if (task_spec_is_series(t->spec) && !task_is_final(t))
        manager_series_begin(m, t);
    manager_schedule(m);
}

void manager_add_task(Manager *m, Task *t, Group *g, bool may_fail) {
    t->is_new = true;
    task_table_add(&m->tasks, t);
    manager_enter(m, t, g);
    group_task_added(g, t);
    commit_queue_put(m->commits, t);
    if (!may_fail || commit_queue_add(m->commits, on_added, m, t) < 0)
        commit_queue_call(m->commits, on_added, m, t);
}

/* ---- all or none ---- */

typedef struct StartCall {
    Manager *manager;
    TaskSpec **specs;
    const uint64_t *retry_of; /* NULL = none are repetitions */
    size_t n;
    Group **groups;
    Task **made;         /* by place; NULL where an active task is given */
    const Task **causes; /* why they are skipped at once; NULL = they are not */
    uint64_t *ids;
    TaskTable fresh; /* those made, until they are entered */
    uint64_t first_id;
} StartCall;

/* Also among those that come with this call. */
static const Task *active_with_key(const StartCall *c, const char *key) {
    if (isempty(key))
        return NULL;
    return task_table_find_unique(&c->fresh, key)
               ?: task_table_find_unique(&c->manager->tasks, key);
}

static Task *find_task(void *userdata, uint64_t id) {
    const StartCall *c = userdata;

    return task_table_find(id >= c->first_id ? &c->fresh : &c->manager->tasks, id);
}

static int make_task(StartCall *c, size_t i, Error *error) {
    Manager *m = c->manager;
    Task *t = task_new(m->next_id, c->specs[i], clock_usec(CLOCK_REALTIME));

    if (!t)
        return -ENOMEM;
    c->specs[i] = NULL;
    c->made[i] = t;
    c->ids[i] = m->next_id++;
    if (c->retry_of)
        t->retry_of = c->retry_of[i];
    t->due_at = t->spec->start_at;
    if (task_spec_is_series(t->spec))
        manager_series_plan(m, t);
    task_table_add(&c->fresh, t);
    return manager_tie(t, find_task, c, &c->causes[i], error);
}

static int make_one(StartCall *c, size_t i, Error *error) {
    const Task *active = active_with_key(c, c->specs[i]->unique);
    int r;

    if (active) {
        c->ids[i] = active->id;
        return 0;
    }
    r = manager_check_parent(c->manager, c->specs[i]->parent, error);
    if (r >= 0)
        r = manager_check_needs(c->manager, c->specs[i], error);
    if (r >= 0)
        r = task_spec_resolve_index(&c->specs[i], c->ids);
    return r < 0 ? r : make_task(c, i, error);
}

static int make_all(StartCall *c, Error *error) {
    for (size_t i = 0; i < c->n; i++) {
        int r = make_one(c, i, error);
        if (r < 0) {
            if (c->n > 1)
                error_prefix(error, "tasks[%zu]: ", i);
            return r;
        }
    }
    return 0;
}

/* Those that are skipped at once come last: others may wait for them. */
static void enter_all(StartCall *c) {
    for (size_t i = 0; i < c->n; i++)
        if (c->made[i]) {
            task_table_take(&c->fresh, c->made[i]);
            manager_add_task(c->manager, c->made[i], c->groups[i], true);
        }
    for (size_t i = 0; i < c->n; i++)
        if (c->causes[i] && !task_is_final(c->made[i])) {
            ManagerCause cause = manager_cause_of(c->causes[i]);
            manager_skip(c->manager, c->made[i], &cause);
        }
}

int manager_start_again(Manager *m, TaskSpec **specs, const uint64_t *retry_of, size_t n,
                        uint64_t *ret_ids, Error *error) {
    _cleanup_free_ Group **groups = calloc(n + 1, sizeof(Group *));
    _cleanup_free_ Task **made = calloc(n + 1, sizeof(Task *));
    _cleanup_free_ const Task **causes = calloc(n + 1, sizeof(Task *));
    StartCall c = {
        .manager = m,
        .specs = specs,
        .retry_of = retry_of,
        .n = n,
        .groups = groups,
        .made = made,
        .causes = causes,
        .ids = ret_ids,
        .first_id = m->next_id,
    };
    int r = groups && made && causes ? check_specs(m, specs, n, groups, error) : -ENOMEM;

    task_table_init(&c.fresh);
    /* All that can fail comes first. */
    if (r >= 0)
        r = make_all(&c, error);
    if (r >= 0)
        enter_all(&c);
    else {
        task_table_done(&c.fresh);
        m->next_id = c.first_id; /* nobody was told */
    }
    return r;
}

int manager_start_tasks(void *userdata, TaskSpec **specs, size_t n, uint64_t *ret_ids,
                        Error *error) {
    return manager_start_again(userdata, specs, NULL, n, ret_ids, error);
}
