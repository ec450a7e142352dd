#include "daemon/core/scheduler-private.h"

/* Who gets the next slot. Slots go to groups by turns; tokens go by the order of tasks over all
 * groups, so that who came first gets them together in the end, whoever else is served meanwhile.
 */

size_t scheduler_free_slots(const Scheduler *s) {
    if (s->max_parallel == 0)
        return SIZE_MAX - UINT32_MAX;
    return s->max_parallel > s->running ? s->max_parallel - s->running : 0;
}

/* ---- tokens ---- */

/* For how many resources that somebody wants it is still open who gets some. */
static unsigned open_resources(Scheduler *s) {
    unsigned n = 0;

    scheduler_count_wanted(s);
    for (Resource *r = s->resources.by_name; r; r = r->hh.next) {
        r->given = 0;
        r->keeper = NULL;
        r->closed = r->removed || r->used >= r->capacity || r->wanted_by == 0;
        n += !r->closed;
    }
    return n;
}

/* Whether it would get its tokens, after those before it. */
static bool gets_tokens(const Scheduler *s, const Task *t) {
    const TokenList *l = t->spec->resources;

    for (size_t i = 0; i < token_list_length(l); i++) {
        const Resource *r = resource_find(&s->resources, l->claims[i].name);
        if (!r || r->closed || (uint64_t)r->used + r->given + l->claims[i].amount > r->capacity)
            return false;
    }
    return true;
}

/* Those behind it get what is left, or, while it waits for some, nothing of what it wants. */
static void keep_tokens(Scheduler *s, const Task *t, bool gets, unsigned *n_open) {
    const TokenList *l = t->spec->resources;

    for (size_t i = 0; i < token_list_length(l); i++) {
        Resource *r = resource_find(&s->resources, l->claims[i].name);
        if (!r || r->closed)
            continue;
        r->given += gets ? l->claims[i].amount : 0;
        r->keeper = t;
        r->closed = !gets || r->used + r->given >= r->capacity;
        *n_open -= r->closed;
    }
}

/* The group is full, and a task that came later than this one runs in it: that has passed by while
 * there were no tokens for this one. Would these be given away now, the next could pass by again,
 * and so on for ever. */
static bool was_passed_by(const Task *t) {
    const Task *other;

    TAILQ_FOREACH (other, &t->group->at_work, member)
        if (other->id > t->id && other->spec->priority <= t->spec->priority)
            return true;
    return false;
}

/* The first of the group who wants no tokens. */
static Task *first_plain(const Group *g) {
    return g->plain.in_order ? NULL : g->plain.first;
}

/* Groups of which it is still open who is next. */
static unsigned open_groups(Scheduler *s) {
    unsigned n = 0;
    Group *g;

    TAILQ_FOREACH (g, &s->ring, ring) {
        g->next = NULL;
        n += g->n_wanting > 0 && !g->paused && !group_is_full(g);
    }
    return n;
}

/* Whether the task has a say in who gets tokens: it could start now, if it had them. */
static bool may_start_otherwise(const Scheduler *s, const Group *g, const Task *t) {
    if (g->paused || g->next)
        return false;
    if (group_is_full(g) && !was_passed_by(t))
        return false;
    return resource_are_there(&s->resources, t->spec->resources);
}

/* Whose turn it is to say what is kept for it. */
static void share_with(Scheduler *s, Group *g, Task *t, unsigned *n_resources) {
    Task *plain = first_plain(g);
    bool is_full = group_is_full(g);

    if (!is_full && plain && task_compare(plain, t) < 0) {
        g->next = plain;
        return;
    }
    bool gets = !is_full && gets_tokens(s, t);
    keep_tokens(s, t, gets, n_resources);
    if (gets)
        g->next = t;
}

void scheduler_share_tokens(Scheduler *s) {
    unsigned n_resources = open_resources(s), n_groups = open_groups(s);
    Lane *l = scheduler_lane_next(s, NULL);

    for (; l && n_resources > 0 && n_groups > 0; l = scheduler_lane_next(s, l)) {
        if (!may_start_otherwise(s, l->group, l->first))
            continue;
        share_with(s, l->group, l->first, &n_resources);
        n_groups -= l->group->next != NULL;
    }
}

/* ---- groups ---- */

Task *scheduler_next(Scheduler *s) {
    bool looked = false;
    Group *g;

    TAILQ_FOREACH (g, &s->ring, ring) {
        if (g->paused || group_is_full(g))
            continue;
        if (g->n_wanting == 0)
            return g->plain.first;
        if (!looked)
            scheduler_share_tokens(s);
        looked = true;
        if (g->next || first_plain(g))
            return g->next ?: first_plain(g);
    }
    return NULL;
}
