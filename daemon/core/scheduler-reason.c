#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "daemon/core/scheduler-private.h"

/* Why a task does not run, in words for people. */

static char *format(const char *format, ...) _printf_(1, 2);

static char *format(const char *format, ...) {
    va_list args;
    char *text;

    va_start(args, format);
    int r = vasprintf(&text, format, args);
    va_end(args);
    return r < 0 ? NULL : text;
}

/* ---- waiting ---- */

static const char *dependency_verb(DependencyKind kind) {
    switch (kind) {
    case DEPENDENCY_AFTER:
        return "to succeed";
    case DEPENDENCY_AFTER_FAILED:
        return "to fail";
    case DEPENDENCY_AFTER_ANY:
        break;
    }
    return "to end";
}

static char *needs_reason(const TaskTies *ties) {
    const Dependency *d = TAILQ_FIRST(&ties->needs);
    const char *verb = dependency_verb(d->kind);
    unsigned others = ties->n_needs - 1;

    if (others == 0)
        return format("waits for task %" PRIu64 " %s", d->on->id, verb);
    return format("waits for task %" PRIu64 " %s, and for %u other%s", d->on->id, verb, others,
                  others > 1 ? "s" : "");
}

/* Local time. */
static char *time_reason(const char *what, uint64_t usec) {
    time_t sec = (time_t)(usec / USEC_PER_SEC);
    char text[64];
    struct tm tm;

    if (!localtime_r(&sec, &tm) || strftime(text, sizeof(text), "%F %T", &tm) == 0)
        return format("%s later", what);
    return format("%s at %s", what, text);
}

static char *series_reason(const Task *t) {
    const Task *run = task_first_child(t);

    if (run)
        return format("its run %u, task %" PRIu64 ", is active", t->attempt, run->id);
    if (t->due_at > 0)
        return time_reason("runs next", t->due_at);
    return format("is about to run");
}

static char *waiting_reason(const Scheduler *s, const Task *t) {
    if (t->ties && t->ties->n_needs > 0)
        return needs_reason(t->ties);
    if (!scheduler_condition_holds(s, t->spec->when_online) &&
        !scheduler_has_condition(s, t->spec->when_online))
        return format("waits for backend %s to come online, but there is no such backend any more: "
                      "longrun backend add %s URL",
                      t->spec->when_online, t->spec->when_online);
    if (!scheduler_condition_holds(s, t->spec->when_online))
        return format("waits for backend %s to come online", t->spec->when_online);
    if (task_spec_is_series(t->spec))
        return series_reason(t);
    return time_reason(t->attempt > 0 ? "is tried again" : "starts", t->due_at);
}

/* ---- queued ---- */

/* The first of its tokens that it cannot have now, or NULL. */
static const TokenClaim *find_lacking(const Scheduler *s, const Task *t) {
    const TokenClaim *lacking = NULL;

    (void)resource_are_free(&s->resources, t->spec->resources, &lacking);
    return lacking;
}

static char *lacking_reason(const Scheduler *s, const TokenClaim *c) {
    const Resource *r = resource_find(&s->resources, c->name);

    if (!r)
        return format("wants %s=%" PRIu32 ", but there is no such resource any more: longrun "
                      "resource set %s N",
                      c->name, c->amount, c->name);
    if (c->amount > r->capacity)
        return format("wants %s=%" PRIu32 ", but there are only %" PRIu32 " now", c->name,
                      c->amount, r->capacity);
    uint32_t n_free = r->capacity - MIN(r->used, r->capacity);
    return format("wants %s=%" PRIu32 ", of which %" PRIu32 " of %" PRIu32 " %s free", c->name,
                  c->amount, n_free, r->capacity, n_free == 1 ? "is" : "are");
}

/* Tokens that are free, and kept for somebody who comes first. */
static char *kept_reason(Scheduler *s, const Task *t) {
    const TokenList *l = t->spec->resources;

    if (token_list_length(l) == 0)
        return NULL;
    scheduler_share_tokens(s);
    for (size_t i = 0; i < l->n; i++) {
        const Resource *r = resource_find(&s->resources, l->claims[i].name);
        if (r && r->keeper && task_compare(r->keeper, t) < 0)
            return format("wants %s=%" PRIu32 ", which is kept for task %" PRIu64
                          ", who comes first",
                          r->name, l->claims[i].amount, r->keeper->id);
    }
    return NULL;
}

static char *queued_reason(Scheduler *s, const Task *t) {
    const TokenClaim *lacking = find_lacking(s, t);
    const Group *g = t->group;

    if (g->paused)
        return format("the group %s is paused: longrun resume %s", g->name, g->name);
    if (s->closed)
        return format("longrund is being stopped");
    if (lacking && !resource_are_there(&s->resources, t->spec->resources))
        return lacking_reason(s, lacking);
    if (group_is_full(g))
        return g->max_parallel == 1
                   ? format("the only slot of the group %s is in use", g->name)
                   : format("all %u slots of the group %s are in use", g->max_parallel, g->name);
    if (scheduler_free_slots(s) == 0)
        return s->max_parallel == 1
                   ? format("the only slot is in use (MaxParallel)")
                   : format("all %u slots are in use (MaxParallel)", s->max_parallel);
    if (lacking)
        return lacking_reason(s, lacking);
    return kept_reason(s, t)
               ?: strdup(t == t->lane->first ? "is about to start" : "others come first");
}

char *scheduler_reason(Scheduler *s, const Task *t) {
    switch (t->place) {
    case TASK_PLACE_BLOCKED:
    case TASK_PLACE_DUE:
        return waiting_reason(s, t);
    case TASK_PLACE_LANE:
        return queued_reason(s, t);
    case TASK_PLACE_AHEAD:
        return format("is next");
    case TASK_PLACE_NONE:
        break;
    }
    return strdup("");
}
