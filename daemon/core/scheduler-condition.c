#include <errno.h>

#include "daemon/core/scheduler-private.h"

/* Conditions, and who waits for them. */

struct Condition {
    char *name;
    bool holds;
    UT_hash_handle hh;
};

static Condition *find(const Scheduler *s, const char *name) {
    Condition *c;

    HASH_FIND_STR(s->conditions, name, c);
    return c;
}

static void drop(Scheduler *s, Condition *c) {
    HASH_DELETE(hh, s->conditions, c);
    free(c->name);
    free(c);
}

void scheduler_free_conditions(Scheduler *s) {
    while (s->conditions)
        drop(s, s->conditions);
}

bool scheduler_has_condition(const Scheduler *s, const char *name) {
    return find(s, name);
}

bool scheduler_condition_holds(const Scheduler *s, const char *name) {
    const Condition *c = isempty(name) ? NULL : find(s, name);

    return isempty(name) || (c && c->holds);
}

static int add(Scheduler *s, const char *name) {
    Condition *c = calloc(1, sizeof(Condition));

    if (c)
        c->name = strdup(name);
    if (!c || !c->name) {
        free(c);
        return -ENOMEM;
    }
    HASH_ADD_KEYPTR(hh, s->conditions, c->name, strlen(c->name), c);
    return 0;
}

/* Each goes to the end, so that nobody is left out when others go while they are told. */
static void plan_all(Scheduler *s, const char *name, uint64_t now) {
    unsigned n = 0;
    Task *t;

    TAILQ_FOREACH (t, &s->conditional, conditional)
        n++;
    for (; n > 0 && (t = TAILQ_FIRST(&s->conditional)); n--) {
        TAILQ_REMOVE(&s->conditional, t, conditional);
        TAILQ_INSERT_TAIL(&s->conditional, t, conditional);
        if (streq(t->spec->when_online, name))
            scheduler_plan_again(s, t, now);
    }
}

int scheduler_set_condition(Scheduler *s, const char *name, bool holds, uint64_t now) {
    int r = find(s, name) ? 0 : add(s, name);

    if (r < 0)
        return r;
    Condition *c = find(s, name);
    if (c->holds == holds)
        return 0;
    c->holds = holds;
    plan_all(s, name, now);
    return 0;
}

void scheduler_remove_condition(Scheduler *s, const char *name, uint64_t now) {
    Condition *c = find(s, name);

    if (!c)
        return;
    bool held = c->holds;
    drop(s, c);
    if (held)
        plan_all(s, name, now);
}
