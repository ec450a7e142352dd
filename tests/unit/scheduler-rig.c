#include "tests/unit/scheduler-rig.h"

#include <errno.h>
#include <inttypes.h>

Scheduler rig;
Task *rig_tasks[RIG_TASKS_MAX];
uint64_t rig_now;

static bool skipped[RIG_TASKS_MAX];

/* ---- events ---- */

static void finish(Task *t, TaskState state) {
    unsigned succeeded, failed;

    MUST(task_set_state(t, state, rig_now) == 0);
    (void)group_task_ended(t->group, t, &succeeded, &failed);
    scheduler_task_ended(&rig, t, rig_now);
}

static void on_ready(void *userdata, Task *t) {
    MUST(t->state == TASK_QUEUED);
}

static void on_doomed(void *userdata, Task *t, const Task *cause) {
    MUST(task_is_final(cause));
    scheduler_remove(&rig, t);
    skipped[t->id] = true;
    finish(t, TASK_SKIPPED);
}

static void on_unready(void *userdata, Task *t) {
    MUST(t->state == TASK_WAITING);
    t->claim = TASK_CLAIM_NONE;
}

/* It runs for 10, and again 10 later. */
static void on_elapsed(void *userdata, Task *t) {
    t->due_at = rig_now + 20;
    scheduler_due_changed(&rig, t, rig_now);
}

static const SchedulerEvents events = {
    .ready = on_ready,
    .doomed = on_doomed,
    .unready = on_unready,
    .elapsed = on_elapsed,
};

/* ---- the rig ---- */

void rig_setup(void) {
    static const char *const names[] = {"c", "a", "b"};

    rig_now = 1;
    scheduler_init(&rig, 0, 1000, &events, NULL);
    for (size_t i = 0; i < ELEMENTSOF(names); i++) {
        Group *g = group_new(names[i]);
        MUST(g);
        scheduler_add_group(&rig, g);
    }
    MUST(resource_configure(&rig.resources, "gpu", 4) == 0);
    MUST(resource_configure(&rig.resources, "net", 2) == 0);
}

void rig_teardown(void) {
    scheduler_done(&rig);
    for (size_t i = 0; i < RIG_TASKS_MAX; i++)
        rig_tasks[i] = task_free(rig_tasks[i]);
}

Group *rig_group(char name) {
    return scheduler_find_group(&rig, (char[]){name, '\0'});
}

/* ---- tasks ---- */

static uint64_t number(const char **s) {
    char *end;
    uint64_t n = strtoul(*s, &end, 10);

    MUST(end > *s);
    *s = end;
    return n;
}

static int32_t signed_number(const char **s) {
    char sign = *(*s)++;

    MUST(sign == '+' || sign == '-');
    return (sign == '-' ? -1 : 1) * (int32_t)number(s);
}

static void read_wants(TaskSpec *spec, const char **s) {
    TokenClaim claims[2];
    size_t n = 0;

    while (**s == 'g' || **s == 'n') {
        const char *name = *(*s)++ == 'g' ? "gpu" : "net";
        claims[n++] = (TokenClaim){.name = name, .amount = (uint32_t)number(s)};
    }
    MUST(token_list_new(&spec->resources, claims, n) == 0);
}

static void read_needs(Task *t, const char **s) {
    static const char kinds[] = {
        [DEPENDENCY_AFTER] = '>', [DEPENDENCY_AFTER_ANY] = '?', [DEPENDENCY_AFTER_FAILED] = '<'};

    for (const char *k; **s && (k = memchr(kinds, **s, sizeof(kinds)));) {
        ++*s;
        MUST(task_ties_add_dependency(t, (DependencyKind)(k - kinds), rig_tasks[number(s)]) == 1);
    }
}

static Task *read_task(const char **s, char group) {
    Task *t = unit_task_new(number(s));

    t->group = rig_group(group);
    MUST(t->group && t->id < RIG_TASKS_MAX && !rig_tasks[t->id]);
    if (**s == '+' || **s == '-')
        t->spec->priority = signed_number(s);
    read_wants(t->spec, s);
    read_needs(t, s);
    if (**s == '@' && ++*s)
        t->due_at = number(s);
    if (**s == '&' && ++*s)
        unit_set(&t->spec->when_online, (char[]){*(*s)++, '\0'});
    if (**s == '~' && ++*s)
        t->spec->every_usec = 10;
    rig_tasks[t->id] = t;
    return t;
}

Task *rig_new_task(const char *what) {
    char group = *what++;

    return read_task(&what, group);
}

static void put_in(Task *t) {
    group_task_added(t->group, t);
    scheduler_add(&rig, t, t->group, rig_now);
}

void rig_end(uint64_t id, TaskState state) {
    Task *t = rig_tasks[id];

    if (task_is_pending(t))
        scheduler_remove(&rig, t);
    else
        scheduler_release(&rig, t);
    finish(t, state);
    for (size_t i = 0; i < RIG_TASKS_MAX; i++)
        if (rig_tasks[i] && task_is_final(rig_tasks[i]))
            rig_tasks[i] = task_free(rig_tasks[i]);
}

static void try_again(uint64_t id) {
    Task *t = rig_tasks[id];

    scheduler_release(&rig, t);
    MUST(task_set_state(t, TASK_QUEUED, rig_now) == 0);
    t->due_at = rig_now + 10;
    scheduler_add(&rig, t, t->group, rig_now);
}

/* ---- starts ---- */

static void on_claim(void *userdata, Task *t) {
    MUST(t->claim == TASK_CLAIM_PENDING);
    ++*(unsigned *)userdata;
}

unsigned rig_commit(void) {
    unsigned n = 0;

    for (size_t i = 0; i < RIG_TASKS_MAX; i++)
        if (rig_tasks[i] && rig_tasks[i]->claim == TASK_CLAIM_PENDING)
            rig_tasks[i]->claim = TASK_CLAIM_SAFE;
    scheduler_claim(&rig, on_claim, &n);
    return n;
}

uint64_t rig_take(void) {
    bool unclaimed;
    Task *t = scheduler_take(&rig, &unclaimed);

    for (int i = 0; !t && i < 2; i++) {
        (void)rig_commit();
        t = scheduler_take(&rig, &unclaimed);
    }
    MUST(t || !unclaimed);
    if (!t)
        return 0;
    t->claim = TASK_CLAIM_NONE;
    MUST(task_set_state(t, TASK_STARTING, rig_now) == 0);
    return t->id;
}

/* ---- scripts ---- */

static void set_limit(const char **s) {
    char whose = *(*s)++;
    unsigned n = (unsigned)number(s);

    if (whose == '*')
        rig.max_parallel = n;
    else if (whose == 'g')
        MUST(resource_configure(&rig.resources, "gpu", n) == 0);
    else
        rig_group(whose)->max_parallel = n;
}

static void set_condition(const char **s) {
    const char name[] = {*(*s)++, '\0'};
    char how = *(*s)++;

    if (how == '0')
        scheduler_remove_condition(&rig, name, rig_now);
    else
        MUST(scheduler_set_condition(&rig, name, how == '+', rig_now) == 0);
}

static void set_priority(const char **s) {
    uint64_t id = number(s);

    scheduler_set_priority(&rig, rig_tasks[id], signed_number(s));
}

static bool is_in_state(uint64_t id, TaskState state) {
    return rig_tasks[id] && rig_tasks[id]->state == state;
}

/* False: it is not as the script says. */
static bool run_word(char what, const char **s) {
    switch (what) {
    case '=':
        return rig_take() == number(s);
    case '.':
        rig_end(number(s), TASK_SUCCEEDED);
        return true;
    case 'f':
        rig_end(number(s), TASK_FAILED);
        return true;
    case 'x':
        rig_end(number(s), TASK_CANCELLED);
        return true;
    case ',':
        try_again(number(s));
        return true;
    case '!':
        set_priority(s);
        return true;
    case 'w':
        return is_in_state(number(s), TASK_WAITING);
    case 'q':
        return is_in_state(number(s), TASK_QUEUED);
    case 's':
        return skipped[number(s)];
    case 'M':
        set_limit(s);
        return true;
    case 'P':
    case 'R':
        rig_group(*(*s)++)->paused = what == 'P';
        return true;
    case 't':
        rig_now = number(s);
        scheduler_set_time(&rig, rig_now);
        return true;
    case '&':
        set_condition(s);
        return true;
    default:
        put_in(read_task(s, what));
        return true;
    }
}

void rig_run(const char *script) {
    for (const char *s = script; *s;) {
        if (*s == ' ') {
            s++;
            continue;
        }
        const char *word = s++;
        if (!run_word(*word, &s))
            ck_abort_msg("%s\nis wrong at: %s", script, word);
        MUST(*s == ' ' || *s == '\0');
    }
}
