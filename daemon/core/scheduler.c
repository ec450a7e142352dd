#include "daemon/core/scheduler.h"

#include "daemon/core/scheduler-private.h"

/* What the scheduler holds, and who comes and goes. */

void scheduler_init(Scheduler *s, unsigned max_parallel, unsigned max_queued,
                    const SchedulerEvents *events, void *userdata) {
    *s = (Scheduler){.max_parallel = max_parallel,
                     .max_queued = max_queued,
                     .events = events,
                     .userdata = userdata};
    TAILQ_INIT(&s->ring);
    TAILQ_INIT(&s->ahead);
    TAILQ_INIT(&s->busy);
    TAILQ_INIT(&s->conditional);
    TAILQ_INIT(&s->ended);
}

void scheduler_done(Scheduler *s) {
    for (Group *g; (g = s->groups);) {
        scheduler_take_group(s, g);
        group_free(g);
    }
    scheduler_free_conditions(s);
    resource_table_done(&s->resources);
}

/* ---- groups ---- */

Group *scheduler_find_group(const Scheduler *s, const char *name) {
    Group *g;

    HASH_FIND_STR(s->groups, name, g);
    return g;
}

static int compare_names(const Group *a, const Group *b) {
    return strcmp(a->name, b->name);
}

void scheduler_add_group(Scheduler *s, Group *g) {
    HASH_ADD_KEYPTR_INORDER(hh, s->groups, g->name, strlen(g->name), g, compare_names);
    s->last_turn = MAX(s->last_turn, g->turn);
}

void scheduler_take_group(Scheduler *s, Group *g) {
    scheduler_lane_rest(s, &g->plain);
    for (Lane *l = g->lanes; l; l = l->hh.next)
        scheduler_lane_rest(s, l);
    HASH_DELETE(hh, s->groups, g);
}

Group *scheduler_next_group(const Scheduler *s, const Group *g) {
    return g ? g->hh.next : s->groups;
}

/* ---- tasks that come and go ---- */

void scheduler_count_in(Scheduler *s, Task *t) {
    TAILQ_INSERT_TAIL(&t->group->pending, t, member);
    if (!isempty(t->spec->when_online))
        TAILQ_INSERT_TAIL(&s->conditional, t, conditional);
    s->queued++;
    s->queued_bytes += t->request_bytes;
}

void scheduler_count_out(Scheduler *s, Task *t) {
    TAILQ_REMOVE(&t->group->pending, t, member);
    if (!isempty(t->spec->when_online))
        TAILQ_REMOVE(&s->conditional, t, conditional);
    s->queued--;
    s->queued_bytes -= t->request_bytes;
}

void scheduler_add(Scheduler *s, Task *t, Group *g, uint64_t now) {
    t->group = g;
    /* Noted, since the label may change while the task waits. */
    t->request_bytes = task_spec_size(t->spec);
    scheduler_count_in(s, t);
    (void)scheduler_plan(s, t, now);
}

void scheduler_remove(Scheduler *s, Task *t) {
    scheduler_unplan(s, t);
    scheduler_count_out(s, t);
}

void scheduler_set_priority(Scheduler *s, Task *t, int32_t priority) {
    bool in_lane = t->place == TASK_PLACE_LANE;

    if (in_lane)
        scheduler_lane_take(s, t);
    t->spec->priority = priority;
    if (in_lane)
        scheduler_lane_put(s, t);
}

/* Of a group, or of the next ones that have any. */
static Task *first_pending(const Group *g, bool and_next) {
    for (; g; g = and_next ? g->hh.next : NULL)
        if (!TAILQ_EMPTY(&g->pending))
            return TAILQ_FIRST(&g->pending);
    return NULL;
}

Task *scheduler_next_pending(const Scheduler *s, const Group *g, const Task *t) {
    if (!t)
        return first_pending(g ?: s->groups, !g);
    Task *next = TAILQ_NEXT(t, member);
    return next || g ? next : first_pending(t->group->hh.next, true);
}
