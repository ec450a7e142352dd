#include "daemon/core/scheduler-private.h"

/* The queues of the groups, and whose turn it is. */

/* ---- lanes whose first wants tokens ---- */

static int compare_lanes(const Lane *a, const Lane *b) {
    return task_compare(a->first, b->first);
}

RB_GENERATE_INTERNAL(LaneOrder, Lane, order, compare_lanes, _unused_ static)

Lane *scheduler_lane_next(const Scheduler *s, Lane *l) {
    return l ? RB_NEXT(LaneOrder, &s->wanting, l)
             : RB_MIN(LaneOrder, (struct LaneOrder *)&s->wanting);
}

static void count_wanted(Scheduler *s, const Lane *l, int n) {
    const TokenList *wanted = l->first->spec->resources;

    for (size_t i = 0; i < token_list_length(wanted); i++) {
        Resource *r = resource_find(&s->resources, wanted->claims[i].name);
        if (r)
            r->wanted_by += (unsigned)n;
    }
}

void scheduler_count_wanted(Scheduler *s) {
    if (s->counted == s->resources.made)
        return;
    for (Resource *r = s->resources.by_name; r; r = r->hh.next)
        r->wanted_by = 0;
    for (Lane *l = scheduler_lane_next(s, NULL); l; l = scheduler_lane_next(s, l))
        count_wanted(s, l, 1);
    s->counted = s->resources.made;
}

/* Around any change of who is first. */
static void leave_order(Scheduler *s, Lane *l) {
    if (!l->in_order)
        return;
    scheduler_count_wanted(s);
    count_wanted(s, l, -1);
    RB_REMOVE(LaneOrder, &s->wanting, l);
    l->in_order = false;
    l->group->n_wanting--;
}

static void enter_order(Scheduler *s, Lane *l) {
    if (l->in_order || !l->first || token_list_length(l->first->spec->resources) == 0)
        return;
    scheduler_count_wanted(s);
    count_wanted(s, l, 1);
    RB_INSERT(LaneOrder, &s->wanting, l);
    l->in_order = true;
    l->group->n_wanting++;
}

/* ---- lanes of which tasks were started ---- */

void scheduler_lane_started(Scheduler *s, Lane *l) {
    if (l->started++ == 0)
        TAILQ_INSERT_TAIL(&s->busy, l, busy);
}

void scheduler_lane_rest(Scheduler *s, Lane *l) {
    if (l->started > 0)
        TAILQ_REMOVE(&s->busy, l, busy);
    l->started = 0;
}

/* ---- turns ---- */

/* By name where none was served yet, so that the order is the same in whatever order they came. */
static bool turn_is_before(const Group *a, const Group *b) {
    return a->turn != b->turn ? a->turn < b->turn : strcmp(a->name, b->name) < 0;
}

static void enter_ring(Scheduler *s, Group *g) {
    Group *at = TAILQ_FIRST(&s->ring);

    g->in_ring = true;
    if (!at || turn_is_before(g, at)) {
        TAILQ_INSERT_HEAD(&s->ring, g, ring);
        return;
    }
    TAILQ_FOREACH_REVERSE(at, &s->ring, GroupRing, ring)
    if (turn_is_before(at, g))
        break;
    TAILQ_INSERT_AFTER(&s->ring, at, g, ring);
}

static void leave_ring(Scheduler *s, Group *g) {
    TAILQ_REMOVE(&s->ring, g, ring);
    g->in_ring = false;
}

void scheduler_set_turn(Scheduler *s, Group *g, uint64_t turn) {
    bool in_ring = g->in_ring;

    if (in_ring)
        leave_ring(s, g);
    g->turn = turn;
    if (in_ring)
        enter_ring(s, g);
}

/* ---- tasks ---- */

/* Where memory is short, a task waits among those that want nothing: slower, but not wrong. */
static Lane *find_lane(Group *g, const Task *t) {
    uint64_t digest = lane_digest(t->spec->resources);
    Lane *l;

    if (digest == 0)
        return &g->plain;
    HASH_FIND(hh, g->lanes, &digest, sizeof(digest), l);
    if (l)
        return l;
    l = calloc(1, sizeof(Lane));
    if (!l)
        return &g->plain;
    l->group = g;
    l->digest = digest;
    HASH_ADD(hh, g->lanes, digest, sizeof(l->digest), l);
    return l;
}

void scheduler_lane_put(Scheduler *s, Task *t) {
    Group *g = t->group;
    Lane *l = find_lane(g, t);
    bool is_first = !l->first || task_compare(t, l->first) < 0;

    if (is_first)
        leave_order(s, l);
    lane_link(l, t);
    t->lane = l;
    enter_order(s, l);
    if (g->n_laned++ == 0)
        enter_ring(s, g);
}

void scheduler_lane_take(Scheduler *s, Task *t) {
    Group *g = t->group;
    Lane *l = t->lane;

    if (l->first == t)
        leave_order(s, l);
    lane_unlink(l, t);
    enter_order(s, l);
    if (--g->n_laned == 0)
        leave_ring(s, g);
    t->lane = NULL;
    if (!l->first && l != &g->plain) {
        scheduler_lane_rest(s, l);
        HASH_DELETE(hh, g->lanes, l);
        free(l);
    }
}
