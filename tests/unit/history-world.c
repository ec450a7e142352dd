#include "tests/unit/history-world.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

uint64_t world_seed;
unsigned world_step;

void world_fail(const char *what, const char *file, int line) {
    fprintf(stderr, "%s:%d: seed %" PRIu64 ", step %u: %s\n", file, line, world_seed, world_step,
            what);
    ck_abort_msg("seed %" PRIu64 ", step %u: %s", world_seed, world_step, what);
}

static unsigned place_of(const Task *t) {
    return (unsigned)t->id - 1;
}

/* ---- ends ---- */

static bool group_has_others(const World *w, const Task *t) {
    for (unsigned i = 0; i < w->model->n; i++) {
        const Task *other = w->tasks[i];
        if (other && other != t && other->group == t->group && !task_is_final(other) &&
            !task_spec_is_series(other->spec))
            return true;
    }
    return false;
}

static void finish(World *w, Task *t, TaskState state) {
    unsigned succeeded = 0, failed = 0;

    WORLD_CHECK(task_set_state(t, state, w->model->now) == 0);
    bool dry = group_task_ended(t->group, t, &succeeded, &failed);
    WORLD_CHECK(dry == (!task_spec_is_series(t->spec) && !group_has_others(w, t)));
    WORLD_CHECK(dry == (succeeded + failed > 0));
    scheduler_task_ended(&w->scheduler, t, w->model->now);
}

void world_end(World *w, unsigned i, TaskState state) {
    Task *t = w->tasks[i];

    if (task_is_pending(t))
        scheduler_remove(&w->scheduler, t);
    else
        scheduler_release(&w->scheduler, t);
    finish(w, t, state);
}

void world_sweep(World *w) {
    for (unsigned i = 0; i < w->model->n; i++)
        if (w->tasks[i] && task_is_final(w->tasks[i])) {
            WORLD_CHECK(!w->tasks[i]->ties);
            w->tasks[i] = task_free(w->tasks[i]);
        }
}

/* ---- events ---- */

static void on_ready(void *userdata, Task *t) {
    WORLD_CHECK(t->state == TASK_QUEUED && t->place == TASK_PLACE_LANE);
}

static void on_unready(void *userdata, Task *t) {
    WORLD_CHECK(t->state == TASK_WAITING);
    t->claim = TASK_CLAIM_NONE;
}

static void on_doomed(void *userdata, Task *t, const Task *cause) {
    World *w = userdata;
    const ModelItem *item = &w->model->items[place_of(t)];
    bool found = false;

    WORLD_CHECK(task_is_final(cause));
    for (unsigned n = 0; n < item->n_needs; n++)
        found = found || (item->needs[n].on == place_of(cause) &&
                          !dependency_is_met(item->needs[n].kind, cause->state));
    WORLD_CHECK(found);
    scheduler_remove(&w->scheduler, t);
    finish(w, t, TASK_SKIPPED);
}

static void on_elapsed(void *userdata, Task *t) {
    World *w = userdata;

    WORLD_CHECK(task_spec_is_series(t->spec) && t->due_at == 0);
    w->elapsed[place_of(t)]++;
}

static const SchedulerEvents events = {
    .ready = on_ready,
    .doomed = on_doomed,
    .unready = on_unready,
    .elapsed = on_elapsed,
};

/* ---- the beginning ---- */

static void configure_resources(World *w) {
    for (unsigned r = 0; r < MODEL_RESOURCES; r++)
        WORLD_CHECK(resource_configure(&w->scheduler.resources, model_resource_names[r],
                                       w->model->capacity[r]) == 0);
}

void world_init(World *w, const Model *m) {
    *w = (World){.model = m};
    scheduler_init(&w->scheduler, m->max_parallel, 1000, &events, w);
    for (unsigned g = 0; g < MODEL_GROUPS; g++) {
        w->groups[g] = group_new(model_group_names[g]);
        WORLD_CHECK(w->groups[g]);
        w->groups[g]->max_parallel = m->groups[g].max_parallel;
        w->groups[g]->paused = m->groups[g].paused;
        w->groups[g]->turn = m->groups[g].turn;
    }
    /* In another order each time: it must not matter. */
    for (unsigned g = 0; g < MODEL_GROUPS; g++)
        scheduler_add_group(&w->scheduler, w->groups[(g + world_seed + world_step) % MODEL_GROUPS]);
    configure_resources(w);
    for (unsigned c = 0; c < MODEL_CONDITIONS; c++)
        if (m->holds[c])
            WORLD_CHECK(scheduler_set_condition(&w->scheduler, model_condition_names[c], true,
                                                m->now) == 0);
}

void world_done(World *w) {
    scheduler_done(&w->scheduler);
    for (unsigned i = 0; i < w->model->n; i++)
        w->tasks[i] = task_free(w->tasks[i]);
}

/* ---- tasks that come ---- */

static TokenList *new_tokens(const ModelItem *item) {
    TokenClaim claims[MODEL_RESOURCES];
    TokenList *list;
    size_t n = 0;

    for (unsigned r = 0; r < MODEL_RESOURCES; r++)
        if (item->wants[r] > 0)
            claims[n++] = (TokenClaim){.name = model_resource_names[r], .amount = item->wants[r]};
    WORLD_CHECK(token_list_new(&list, claims, n) == 0);
    return list;
}

static Task *new_task(World *w, unsigned i) {
    const ModelItem *item = &w->model->items[i];
    TaskDefaults defaults = {.cwd = "/"};
    TaskSpec *spec = task_spec_new("noop", &defaults);

    WORLD_CHECK(spec);
    spec->priority = item->priority;
    spec->resources = new_tokens(item);
    if (item->condition != MODEL_NONE) {
        free(spec->when_online);
        spec->when_online = strdup(model_condition_names[item->condition]);
        WORLD_CHECK(spec->when_online);
    }
    spec->every_usec = item->is_series ? 1 : 0;
    Task *t = task_new(i + 1, spec, w->model->now);
    WORLD_CHECK(t);
    t->due_at = item->due;
    return w->tasks[i] = t;
}

static void tie(World *w, Task *t, const ModelItem *item) {
    for (unsigned n = 0; n < item->n_needs; n++) {
        Task *on = w->tasks[item->needs[n].on];
        if (on && !task_is_final(on))
            WORLD_CHECK(task_ties_add_dependency(t, item->needs[n].kind, on) == 1);
    }
    if (item->parent != MODEL_NONE && w->tasks[item->parent])
        WORLD_CHECK(task_ties_set_parent(t, w->tasks[item->parent]) == 0);
}

void world_add(World *w, unsigned i) {
    const ModelItem *item = &w->model->items[i];
    Task *t = new_task(w, i);
    Group *g = w->groups[item->group];

    tie(w, t, item);
    group_task_added(g, t);
    scheduler_add(&w->scheduler, t, g, w->model->now);
    for (unsigned n = 0; n < item->n_needs; n++)
        if (model_dooms(w->model, i, item->needs[n].on)) {
            scheduler_remove(&w->scheduler, t);
            finish(w, t, TASK_SKIPPED);
            return;
        }
}

void world_rebuild(World *w, const World *from, const Model *m) {
    world_init(w, m);
    for (unsigned i = 0; i < m->n; i++) {
        const ModelItem *item = &m->items[i];
        Group *g = w->groups[item->group];
        if (item->phase == MODEL_ENDED)
            continue;
        Task *t = new_task(w, i);
        t->ready_at = from->tasks[i]->ready_at;
        t->due_at = from->tasks[i]->due_at;
        group_task_added(g, t);
    }
    /* Once all are there, since they are tied to each other. */
    for (unsigned i = 0; i < m->n; i++) {
        Task *t = w->tasks[i];
        Group *g = w->groups[m->items[i].group];
        if (!t)
            continue;
        if (m->items[i].phase == MODEL_RUNNING) {
            WORLD_CHECK(task_set_state(t, TASK_STARTING, m->now) == 0);
            scheduler_occupy(&w->scheduler, t, g);
            continue;
        }
        tie(w, t, &m->items[i]);
        if (from->tasks[i]->state == TASK_WAITING)
            WORLD_CHECK(task_set_state(t, TASK_WAITING, m->now) == 0);
        scheduler_add(&w->scheduler, t, g, m->now);
    }
    for (unsigned g = 0; g < MODEL_GROUPS; g++) {
        w->groups[g]->succeeded = from->groups[g]->succeeded;
        w->groups[g]->failed = from->groups[g]->failed;
    }
}

void world_retry(World *w, unsigned i) {
    Task *t = w->tasks[i];

    scheduler_release(&w->scheduler, t);
    WORLD_CHECK(task_set_state(t, TASK_QUEUED, w->model->now) == 0);
    t->due_at = w->model->items[i].due;
    t->ready_at = 0;
    scheduler_add(&w->scheduler, t, t->group, w->model->now);
}

void world_set_time(World *w) {
    scheduler_set_time(&w->scheduler, w->model->now);
    WORLD_CHECK(scheduler_next_due(&w->scheduler) > w->model->now);
}

/* ---- starts ---- */

static void on_claim(void *userdata, Task *t) {
    WORLD_CHECK(t->claim == TASK_CLAIM_PENDING && t->place == TASK_PLACE_LANE);
    WORLD_CHECK(!t->group->paused);
    ++*(size_t *)userdata;
}

void world_commit(World *w) {
    Scheduler *s = &w->scheduler;
    size_t guessed = 2 * s->started, n = 0;

    for (unsigned i = 0; i < w->model->n; i++)
        if (w->tasks[i] && w->tasks[i]->claim == TASK_CLAIM_PENDING)
            w->tasks[i]->claim = TASK_CLAIM_SAFE;
    scheduler_claim(s, on_claim, &n);
    WORLD_CHECK(s->max_parallel == 0 || s->running > s->max_parallel ||
                n <= s->max_parallel - s->running + guessed);
    WORLD_CHECK(s->running <= s->max_parallel || s->max_parallel == 0 || n <= guessed);
}

static bool has_pending_claim(const World *w) {
    for (unsigned i = 0; i < w->model->n; i++)
        if (w->tasks[i] && w->tasks[i]->claim == TASK_CLAIM_PENDING)
            return true;
    return false;
}

/* A commit makes the claim that is missing, the next one makes it safe: it never takes more. */
unsigned world_take(World *w) {
    bool was_missing = false, is_missing;

    for (;;) {
        Task *t = scheduler_take(&w->scheduler, &is_missing);
        if (t) {
            WORLD_CHECK(t->claim == TASK_CLAIM_SAFE);
            t->claim = TASK_CLAIM_NONE;
            WORLD_CHECK(task_set_state(t, TASK_STARTING, w->model->now) == 0);
            return place_of(t);
        }
        WORLD_CHECK(!(was_missing && is_missing));
        WORLD_CHECK(!was_missing || has_pending_claim(w));
        if (!is_missing && !has_pending_claim(w))
            return MODEL_NONE;
        was_missing = was_missing || is_missing;
        world_commit(w);
    }
}

/* ---- what can be seen ---- */

static void compare_item(const World *w, unsigned i) {
    const ModelItem *item = &w->model->items[i];
    const Task *t = w->tasks[i];

    WORLD_CHECK(!t == (item->phase == MODEL_ENDED));
    if (!t)
        return;
    WORLD_CHECK((t->state == TASK_WAITING) == (item->phase == MODEL_WAITING));
    WORLD_CHECK((t->state == TASK_QUEUED) == (item->phase == MODEL_QUEUED));
    WORLD_CHECK((t->place == TASK_PLACE_NONE) == (item->phase == MODEL_RUNNING));
    WORLD_CHECK(t->due_at == item->due || item->phase == MODEL_RUNNING);
    WORLD_CHECK(t->spec->priority == item->priority);
    /* It takes long, and has tests of its own. */
    if (item->phase == MODEL_RUNNING || world_step % 16 > 0)
        return;
    _cleanup_free_ char *reason = scheduler_reason((Scheduler *)&w->scheduler, t);
    WORLD_CHECK(!isempty(reason));
}

static void compare_group(const World *w, unsigned g) {
    unsigned n[MODEL_ENDED + 1] = {}, active = 0, pending = 0;
    const Group *group = w->groups[g];

    for (unsigned i = 0; i < w->model->n; i++) {
        const ModelItem *item = &w->model->items[i];
        if (item->group != g)
            continue;
        n[item->phase]++;
        active += item->phase != MODEL_ENDED && !item->is_series;
    }
    WORLD_CHECK(group->active == active);
    WORLD_CHECK(group->waiting == n[MODEL_WAITING]);
    WORLD_CHECK(group->queued == n[MODEL_QUEUED]);
    WORLD_CHECK(group->running == n[MODEL_RUNNING]);
    WORLD_CHECK(group->running == w->model->groups[g].running);
    WORLD_CHECK(group->turn == w->model->groups[g].turn);
    for (const Task *t = scheduler_next_pending(&w->scheduler, group, NULL); t;
         t = scheduler_next_pending(&w->scheduler, group, t))
        pending++;
    WORLD_CHECK(pending == n[MODEL_WAITING] + n[MODEL_QUEUED]);
}

void world_compare(const World *w) {
    const Scheduler *s = &w->scheduler;
    unsigned pending = 0, walked = 0;

    for (unsigned i = 0; i < w->model->n; i++) {
        compare_item(w, i);
        ModelPhase phase = w->model->items[i].phase;
        pending += phase == MODEL_WAITING || phase == MODEL_QUEUED;
    }
    for (unsigned g = 0; g < MODEL_GROUPS; g++)
        compare_group(w, g);
    for (unsigned r = 0; r < MODEL_RESOURCES; r++) {
        const Resource *resource = resource_find(&s->resources, model_resource_names[r]);
        WORLD_CHECK(!resource == (w->model->capacity[r] == 0));
        WORLD_CHECK(!resource || resource->used == w->model->used[r]);
    }
    for (const Task *t = scheduler_next_pending(s, NULL, NULL); t;
         t = scheduler_next_pending(s, NULL, t))
        walked++;
    WORLD_CHECK(walked == pending && s->queued == pending);
    WORLD_CHECK((s->queued_bytes > 0) == (pending > 0));
    WORLD_CHECK(s->running == w->model->running);
}
