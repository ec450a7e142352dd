#include <errno.h>
#include <malloc.h>

#include "common/log.h"
#include "daemon/bus/bus-emit.h"
#include "daemon/core/task-options.h"
#include "daemon/manager-private.h"

/* Groups: those on disk, what clients do to them, and when one has run dry. */

/* After a row of so many tasks their memory, which lies scattered, is worth giving back. */
#define TRIM_TASKS 1000

/* ---- finding ---- */

int manager_find_group(const Manager *m, const char *name, Group **ret, Error *error) {
    Group *g = scheduler_find_group(&m->scheduler, name);

    if (!g)
        return error_set(error, ERROR_NO_SUCH_GROUP,
                         "There is no group \"%.100s\": ListGroups, or \"longrun group list\", "
                         "lists those that there are, and ConfigureGroup, or \"longrun group "
                         "add\", makes one",
                         name);
    *ret = g;
    return 0;
}

Group *manager_need_group(Manager *m, const char *name) {
    Group *g = scheduler_find_group(&m->scheduler, name);

    if (g)
        return g;
    g = group_new(name);
    if (!g)
        return NULL;
    scheduler_add_group(&m->scheduler, g);
    /* "default" is there anyway. */
    if (!streq(name, TASK_GROUP_DEFAULT))
        commit_queue_put_group(m->commits, g, true);
    return g;
}

static int on_loaded(void *userdata, Group *g) {
    scheduler_add_group(&((Manager *)userdata)->scheduler, g);
    return 0;
}

int manager_load_groups(Manager *m) {
    int r = store_load_groups(m->store, on_loaded, m);

    if (r < 0)
        return r;
    return manager_need_group(m, TASK_GROUP_DEFAULT) ? 0 : -ENOMEM;
}

void manager_put_groups(Manager *m) {
    for (Group *g = NULL; (g = scheduler_next_group(&m->scheduler, g));)
        commit_queue_put_group(m->commits, g, false);
}

/* ---- what is told when it is on disk ---- */

/* In the list, since the daemon may end before it is. */
typedef struct GroupNote {
    char *group;
    unsigned succeeded, failed; /* of one that has run dry */
    bool is_new;
    bool tasks; /* they are shown in another state */
    LIST_ENTRY(GroupNote) link;
} GroupNote;

static void free_note(GroupNote *n) {
    LIST_REMOVE(n, link);
    free(n->group);
    free(n);
}

/* Takes a copy. Calls func with it when what has been changed is on disk. */
static void note(Manager *m, const Group *g, GroupNote values, CommitFunc func) {
    GroupNote *n = malloc(sizeof(GroupNote));
    char *name = n ? strdup(g->name) : NULL;

    if (!name) {
        log_warning_errno(-ENOMEM, "Cannot note the change of a group for a signal, ignoring");
        free(n);
        return;
    }
    *n = values;
    n->group = name;
    LIST_INSERT_HEAD(&m->group_notes, n, link);
    commit_queue_call(m->commits, func, m, n);
}

void manager_done_groups(Manager *m) {
    for (GroupNote *n; (n = LIST_FIRST(&m->group_notes));)
        free_note(n);
}

/* ---- running dry ---- */

/* Behind the ends of its tasks. */
static void on_dry(void *userdata, void *arg, int error) {
    Manager *m = userdata;
    GroupNote *n = arg;

    bus_publisher_group_finished(m->bus->publisher, n->group, n->succeeded, n->failed);
    if (n->succeeded + n->failed >= TRIM_TASKS)
        (void)malloc_trim(0);
    free_note(n);
}

static void tell_dry(Manager *m, const Group *g, unsigned succeeded, unsigned failed) {
    note(m, g, (GroupNote){.succeeded = succeeded, .failed = failed}, on_dry);
}

void manager_group_task_ended(Manager *m, Task *t) {
    Group *g = TAKE_PTR(t->group);
    unsigned succeeded, failed;

    /* What it counts goes to disk with the end itself, so that a restart counts neither twice nor
     * not at all. */
    commit_queue_put_group(m->commits, g, true);
    if (group_task_ended(g, t, &succeeded, &failed))
        tell_dry(m, g, succeeded, failed);
}

void manager_tell_if_dry(Manager *m, Group *g) {
    unsigned succeeded = g->succeeded, failed = g->failed;

    if (g->active > 0 || succeeded + failed == 0)
        return;
    g->succeeded = g->failed = 0;
    commit_queue_put_group(m->commits, g, true);
    tell_dry(m, g, succeeded, failed);
}

/* ---- what clients change ---- */

static void on_changed(void *userdata, void *arg, int error) {
    Manager *m = userdata;
    GroupNote *n = arg;
    Group *g = scheduler_find_group(&m->scheduler, n->group);

    if (g && n->is_new)
        bus_emit_manager_property(m->bus->bus, "Groups");
    if (g)
        bus_emit_group_changed(m->bus->bus, g->name);
    if (g && n->tasks)
        manager_tell_states(m, g);
    free_note(n);
}

/* To disk with it; then it is told. */
static void changed(Manager *m, Group *g, bool is_new, bool tasks) {
    commit_queue_put_group(m->commits, g, false);
    manager_schedule(m);
    note(m, g, (GroupNote){.is_new = is_new, .tasks = tasks}, on_changed);
}

/* Who says what the default is, if there is one. */
static const TaskSpec *who_says(const Group *g, const GroupChange *change, uint64_t bit) {
    if (change->defaults->given & bit)
        return change->defaults;
    if (g && g->defaults && (g->defaults->given & bit & ~change->unset))
        return g->defaults;
    return NULL;
}

/* Those that the group has, without those that are unset, and those that are given. */
static int merge_defaults(Manager *m, const Group *g, const GroupChange *change, TaskSpec **ret) {
    _cleanup_(task_spec_freep) TaskSpec *merged = manager_new_spec(m, TASK_KIND_COMMAND);
    int r = merged ? 0 : -ENOMEM;

    for (const TaskOption *o = task_options(); r >= 0 && o->name; o++) {
        const TaskSpec *from = who_says(g, change, task_option_bit(o));
        if (!from)
            continue;
        r = task_option_copy(o, merged, from);
        merged->given |= task_option_bit(o);
    }
    if (r >= 0)
        *ret = merged->given ? TAKE_PTR(merged) : NULL;
    return r;
}

/* A resource may go while a group wants it, so only what is new is looked for. */
static int check_defaults(const Manager *m, const GroupChange *change, Error *error) {
    int r = task_defaults_check(change->defaults, error);

    return r < 0 ? r : resource_check(&m->scheduler.resources, change->defaults->resources, error);
}

static int add_group(Manager *m, const char *name, Group **ret, Error *error) {
    Group *g;

    if (HASH_COUNT(m->scheduler.groups) >= GROUPS_MAX)
        return error_set(error, ERROR_NOT_PERMITTED,
                         "There are %d groups, and there can be no more: remove one that is not "
                         "needed by RemoveGroup, or \"longrun group remove\"",
                         GROUPS_MAX);
    g = group_new(name);
    if (!g)
        return -ENOMEM;
    scheduler_add_group(&m->scheduler, g);
    *ret = g;
    return 0;
}

static void apply(Group *g, const GroupChange *change, TaskSpec *defaults) {
    if (change->has_max_parallel)
        g->max_parallel = change->max_parallel;
    if (change->has_max_queued)
        g->max_queued = change->max_queued;
    task_spec_free(g->defaults);
    g->defaults = defaults;
}

int manager_configure_group(void *userdata, const char *name, const GroupChange *change,
                            Error *error) {
    Manager *m = userdata;
    _cleanup_(task_spec_freep) TaskSpec *defaults = NULL;
    Group *g = scheduler_find_group(&m->scheduler, name);
    bool is_new = !g;
    int r = is_new ? group_name_check("group", name, error) : 0;

    if (r >= 0)
        r = check_defaults(m, change, error);
    if (r >= 0)
        r = merge_defaults(m, g, change, &defaults);
    if (r >= 0 && is_new)
        r = add_group(m, name, &g, error);
    if (r < 0)
        return r;
    manager_take_back_ahead(m);
    apply(g, change, TAKE_PTR(defaults));
    changed(m, g, is_new, false);
    return 0;
}

/* ---- removing ---- */

static void on_removed(void *userdata, void *arg, int error) {
    bus_emit_manager_property(((Manager *)userdata)->bus->bus, "Groups");
}

int manager_remove_group(void *userdata, const char *name, Error *error) {
    Manager *m = userdata;
    Group *g;
    int r = manager_find_group(m, name, &g, error);

    if (r < 0)
        return r;
    if (streq(name, TASK_GROUP_DEFAULT))
        return error_set(error, ERROR_NOT_PERMITTED,
                         "The group \"%s\" is always there: Pause it, or Drain it", name);
    /* A series is in it, but not among the active ones. */
    if (!group_is_empty(g))
        return error_set(error, ERROR_STILL_ACTIVE,
                         "Group \"%s\" has tasks that have not ended: cancel them first (CancelAll "
                         "with this group as the filter, or \"longrun cancel --group %s\"), or "
                         "Drain it and wait for them",
                         name, name);
    r = commit_queue_remove_group(m->commits, g);
    if (r < 0)
        return r;
    manager_forget_states(m, g);
    scheduler_take_group(&m->scheduler, g);
    group_free(g);
    commit_queue_call(m->commits, on_removed, m, NULL);
    return 0;
}

/* ---- pausing ---- */

static void obey(Manager *m, Group *g, GroupOrder order) {
    bool paused = order == GROUP_PAUSE || (order != GROUP_RESUME && g->paused);
    bool draining = order == GROUP_DRAIN || (order != GROUP_RESUME && g->draining);
    bool tasks = paused != g->paused;

    if (!tasks && draining == g->draining)
        return;
    g->paused = paused;
    g->draining = draining;
    changed(m, g, false, tasks);
}

int manager_order_group(void *userdata, const char *name, GroupOrder order, Error *error) {
    Manager *m = userdata;
    Group *g = NULL;
    int r = isempty(name) ? 0 : manager_find_group(m, name, &g, error);

    if (r < 0)
        return r;
    /* What is claimed could not be told from what was started, if the machine went down in a pause
     * that lasts. */
    if (order == GROUP_PAUSE)
        manager_give_back_claims(m);
    else
        manager_take_back_ahead(m);
    if (g)
        obey(m, g, order);
    else
        while ((g = scheduler_next_group(&m->scheduler, g)))
            obey(m, g, order);
    return 0;
}

const Group *manager_next_group(void *userdata, const Group *g) {
    return scheduler_next_group(&((Manager *)userdata)->scheduler, g);
}
