#include "daemon/core/scheduler-private.h"

/* Slots: who has one, and who gets one. */

static void occupy(Scheduler *s, Task *t) {
    Group *g = t->group;

    /* Without memory to note tokens of a resource that is gone: nobody can claim these anyway. */
    (void)resource_take(&s->resources, t->spec->resources);
    TAILQ_INSERT_TAIL(&g->at_work, t, member);
    t->place = TASK_PLACE_NONE;
    g->running++;
    s->running++;
}

void scheduler_occupy(Scheduler *s, Task *t, Group *g) {
    t->group = g;
    occupy(s, t);
}

void scheduler_release(Scheduler *s, Task *t) {
    Group *g = t->group;

    resource_give_back(&s->resources, t->spec->resources);
    TAILQ_REMOVE(&g->at_work, t, member);
    g->running--;
    s->running--;
}

void scheduler_give_slot(Scheduler *s, Task *t) {
    scheduler_unplan(s, t);
    scheduler_count_out(s, t);
    occupy(s, t);
    scheduler_set_turn(s, t->group, ++s->last_turn);
}

void scheduler_undo_slot(Scheduler *s, Task *t, uint64_t turn) {
    s->last_turn--;
    scheduler_set_turn(s, t->group, turn);
    scheduler_release(s, t);
    scheduler_count_in(s, t);
    scheduler_take_back(s, t);
}

/* ---- starts ---- */

void scheduler_begin(Scheduler *s, Task *t) {
    scheduler_lane_started(s, t->lane ?: &t->group->plain);
    s->started++;
    scheduler_give_slot(s, t);
}

/* While tasks are ahead, there are none of other groups: see scheduler_peek(). */
static Task *who_is_next(Scheduler *s) {
    Task *t = TAILQ_FIRST(&s->ahead);

    if (!t)
        return scheduler_next(s);
    return group_is_full(t->group) ? NULL : t;
}

Task *scheduler_take(Scheduler *s, bool *ret_unclaimed) {
    Task *t;

    *ret_unclaimed = false;
    if (s->closed || scheduler_free_slots(s) == 0)
        return NULL;
    t = who_is_next(s);
    if (!t)
        return NULL;
    if (t->claim != TASK_CLAIM_SAFE) {
        *ret_unclaimed = t->claim == TASK_CLAIM_NONE;
        return NULL;
    }
    scheduler_begin(s, t);
    return t;
}

/* ---- ahead of a slot ---- */

/* The one group that has anything to start, or NULL. */
static const Group *only_group(const Scheduler *s) {
    const Group *g, *only = NULL;

    TAILQ_FOREACH (g, &s->ring, ring) {
        if (g->paused)
            continue;
        if (only)
            return NULL;
        only = g;
    }
    return only;
}

/* Whether any slot that gets free in an executor may go to a task of this group. */
static bool gets_any_slot(const Scheduler *s, const Group *g) {
    const Task *before = TAILQ_FIRST(&s->ahead);

    if (before && before->group != g)
        return false;
    if (s->max_parallel > 0 && s->running > s->max_parallel)
        return false;
    if (g->max_parallel == 0)
        return true;
    /* Slots of other groups are not for this one, unless it may have all that there are. */
    return g->running <= g->max_parallel &&
           (g->running == s->running ||
            (s->max_parallel > 0 && g->max_parallel >= s->max_parallel));
}

Task *scheduler_peek(const Scheduler *s) {
    const Group *g = s->closed ? NULL : only_group(s);

    if (!g || g->n_wanting > 0 || !gets_any_slot(s, g))
        return NULL;
    Task *t = g->plain.first;
    bool fit = t->claim == TASK_CLAIM_SAFE && isempty(t->spec->when_online);
    return fit ? t : NULL;
}

void scheduler_hand_ahead(Scheduler *s, Task *t) {
    scheduler_unplan(s, t);
    TAILQ_INSERT_TAIL(&s->ahead, t, ahead);
    t->place = TASK_PLACE_AHEAD;
    t->group->queued++;
    s->n_ahead++;
}

void scheduler_take_back(Scheduler *s, Task *t) {
    if (t->place == TASK_PLACE_AHEAD)
        scheduler_unplan(s, t);
    scheduler_lane_put(s, t);
    t->place = TASK_PLACE_LANE;
    t->group->queued++;
}

bool scheduler_would_overtake(const Scheduler *s, const Group *g, int32_t priority) {
    const Task *last = TAILQ_LAST(&s->ahead, TaskQueue);

    return last && (last->group != g || priority > last->spec->priority);
}

bool scheduler_overtakes(const Scheduler *s, const Task *t) {
    const Task *last = TAILQ_LAST(&s->ahead, TaskQueue);

    return last && t->place == TASK_PLACE_LANE &&
           (last->group != t->group || task_compare(t, last) < 0);
}
