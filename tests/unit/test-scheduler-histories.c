/* Thousands of random histories: tasks of all sorts come, run, end, are tried again, cancelled and
 * given other priorities, while limits, tokens, conditions and the clock change and daemons follow
 * each other. One scheduler lives through all of it, another is made anew from what the disk would
 * have in the middle of it: both must do the same, and nothing that the model (history-model.h)
 * forbids.
 *
 * LONGRUN_HISTORIES=N runs so many, LONGRUN_HISTORY_SEED=N begins with that one. */

#include <inttypes.h>
#include <stdio.h>

#include "common/parse.h"
#include "tests/unit/history-world.h"

#define HISTORIES 2000
#define STEPS 70
#define BEGIN (UINT64_C(1700000000) * USEC_PER_SEC)

static Model model;
static World living, rebuilt;
static bool has_rebuilt;
static unsigned n_started, n_skipped;

/* Of this history. */
static unsigned n_groups, tokens_percent, needs_percent;

/* ---- chance: splitmix64 ---- */

static uint64_t chance;

static uint64_t draw(uint64_t n) {
    uint64_t z = (chance += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % n;
}

static bool happens(unsigned percent) {
    return draw(100) < percent;
}

/* An item in that phase, or MODEL_NONE. */
static unsigned pick(ModelPhase from, ModelPhase to) {
    unsigned n = 0, found = MODEL_NONE;

    for (unsigned i = 0; i < model.n; i++)
        if (model.items[i].phase >= from && model.items[i].phase <= to && draw(++n) == 0)
            found = i;
    return found;
}

static World *next_world(const World *w) {
    if (!w)
        return &living;
    return w == &living && has_rebuilt ? &rebuilt : NULL;
}

/* ---- starts ---- */

static void start(unsigned i) {
    const char *fault = model_start_fault(&model, i);

    if (fault)
        world_fail(fault, __FILE__, __LINE__);
    if (i == MODEL_NONE)
        return;
    model_start(&model, i);
    n_started++;
}

static void start_all(void) {
    unsigned i;

    do {
        i = world_take(&living);
        if (has_rebuilt)
            WORLD_CHECK(world_take(&rebuilt) == i);
        start(i);
    } while (i != MODEL_NONE);
}

/* What follows from a change in which all worlds had their part. */
static void settle(void) {
    model_settle(&model);
    for (World *w = NULL; (w = next_world(w));) {
        world_sweep(w);
        world_compare(w);
    }
}

static void set_time(void) {
    for (World *w = NULL; (w = next_world(w));)
        world_set_time(w);
    model_settle(&model);
    for (unsigned i = 0; i < model.n; i++) {
        unsigned expected = model_has_elapsed(&model, i);
        for (World *w = NULL; (w = next_world(w));) {
            WORLD_CHECK(w->elapsed[i] == expected);
            w->elapsed[i] = 0;
        }
        if (expected)
            model.items[i].due = 0;
    }
    settle();
}

/* ---- tasks come and go ---- */

static void draw_needs(ModelItem *item) {
    unsigned n = happens(needs_percent) ? 1 + draw(MODEL_NEEDS_MAX) : 0;

    for (; n > 0 && model.n > 0; n--) {
        item->needs[item->n_needs].on =
            happens(70) ? model.n - 1 - draw(MIN(model.n, 8u)) : draw(model.n);
        item->needs[item->n_needs++].kind = happens(60) ? DEPENDENCY_AFTER : draw(3);
    }
}

static void draw_wants(ModelItem *item) {
    for (unsigned r = 0; r < MODEL_RESOURCES && happens(tokens_percent); r++)
        if (happens(40) && model.capacity[r] > 0)
            item->wants[r] = 1 + draw(model.capacity[r]);
}

static bool makes_cycle(const ModelItem *item) {
    bool found = false;

    for (unsigned n = 0; n < item->n_needs; n++)
        for (unsigned p = item->parent; p != MODEL_NONE && model.items[p].phase != MODEL_ENDED;
             p = model.items[p].parent)
            found = found || model_waits_for(&model, item->needs[n].on, p);
    return found;
}

/* Drops the parent when the task could never end. */
static void draw_parent(ModelItem *item) {
    Task *on[MODEL_NEEDS_MAX];
    size_t n_on = 0;

    item->parent = happens(15) ? pick(MODEL_WAITING, MODEL_RUNNING) : MODEL_NONE;
    if (item->parent == MODEL_NONE)
        return;
    for (unsigned n = 0; n < item->n_needs; n++)
        if (living.tasks[item->needs[n].on])
            on[n_on++] = living.tasks[item->needs[n].on];
    bool cycle = task_ties_would_cycle(on, n_on, living.tasks[item->parent]);
    WORLD_CHECK(cycle == makes_cycle(item));
    if (cycle)
        item->parent = MODEL_NONE;
}

static void add(void) {
    if (model.n == MODEL_ITEMS_MAX)
        return;
    ModelItem *item = &model.items[model.n];
    *item = (ModelItem){.group = draw(n_groups), .condition = MODEL_NONE};
    item->priority = happens(30) ? (int32_t)draw(5) - 2 : 0;
    item->is_series = happens(3);
    draw_needs(item);
    draw_wants(item);
    draw_parent(item);
    if (happens(10))
        item->condition = draw(MODEL_CONDITIONS);
    if (happens(20))
        item->due = model.now + draw(20 * USEC_PER_SEC) - 5 * USEC_PER_SEC;
    model.n++;
    for (World *w = NULL; (w = next_world(w));)
        world_add(w, model.n - 1);
}

static void add_some(void) {
    for (unsigned n = 1 + draw(4); n > 0; n--) {
        add();
        settle();
    }
}

static TaskState draw_end(void) {
    static const TaskState ends[] = {TASK_FAILED, TASK_CANCELLED, TASK_TIMED_OUT, TASK_INTERRUPTED};

    return happens(70) ? TASK_SUCCEEDED : ends[draw(ELEMENTSOF(ends))];
}

static void end(unsigned i, TaskState state) {
    if (model.items[i].phase == MODEL_RUNNING)
        model_release(&model, i);
    model.items[i].phase = MODEL_ENDED;
    model.items[i].end = state;
    for (World *w = NULL; (w = next_world(w));)
        world_end(w, i, state);
}

static void end_one(void) {
    unsigned i = pick(MODEL_RUNNING, MODEL_RUNNING);

    if (i != MODEL_NONE)
        end(i, draw_end());
}

static void retry_one(void) {
    unsigned i = pick(MODEL_RUNNING, MODEL_RUNNING);

    if (i == MODEL_NONE)
        return;
    model_release(&model, i);
    model.items[i].phase = MODEL_WAITING;
    model.items[i].due = model.now + draw(5 * USEC_PER_SEC);
    for (World *w = NULL; (w = next_world(w));)
        world_retry(w, i);
}

static void cancel_one(void) {
    unsigned i = pick(MODEL_WAITING, MODEL_QUEUED);

    if (i != MODEL_NONE)
        end(i, TASK_CANCELLED);
}

/* ---- the executor's own order ---- */

/* One that runs ends, and the first of those that were handed ahead begins: it must be the one that
 * another daemon, without all this, would start. False: there is none. The end must make nobody
 * ready: that would be a matter of the manager's. */
static bool pass_slot(void) {
    Task *t = TAILQ_FIRST(&living.scheduler.ahead);
    unsigned ended = pick(MODEL_RUNNING, MODEL_RUNNING);

    if (!t || ended == MODEL_NONE || living.tasks[ended]->ties)
        return false;
    end(ended, TASK_SUCCEEDED);
    scheduler_begin(&living.scheduler, t);
    t->claim = TASK_CLAIM_NONE;
    WORLD_CHECK(task_set_state(t, TASK_STARTING, model.now) == 0);
    if (has_rebuilt)
        WORLD_CHECK(world_take(&rebuilt) == t->id - 1);
    start((unsigned)t->id - 1);
    settle();
    return true;
}

static void hand_ahead(void) {
    Scheduler *s = &living.scheduler;
    Task *t;

    world_commit(&living);
    world_commit(&living);
    for (unsigned n = draw(6); n > 0 && (t = scheduler_peek(s)); n--)
        scheduler_hand_ahead(s, t);
    for (unsigned n = draw(4); n > 0 && pass_slot(); n--)
        ;
    while ((t = TAILQ_LAST(&s->ahead, TaskQueue)))
        scheduler_take_back(s, t);
}

/* ---- people ---- */

static void pause_or_resume(void) {
    unsigned g = draw(MODEL_GROUPS);

    model.groups[g].paused = !model.groups[g].paused;
    for (World *w = NULL; (w = next_world(w));)
        w->groups[g]->paused = model.groups[g].paused;
}

static void change_priority(void) {
    unsigned i = pick(MODEL_WAITING, MODEL_QUEUED);

    if (i == MODEL_NONE)
        return;
    model.items[i].priority = (int32_t)draw(7) - 3;
    for (World *w = NULL; (w = next_world(w));)
        scheduler_set_priority(&w->scheduler, w->tasks[i], model.items[i].priority);
}

static void change_limits(void) {
    unsigned g = draw(MODEL_GROUPS + 1);

    if (g == MODEL_GROUPS)
        model.max_parallel = draw(8);
    else
        model.groups[g].max_parallel = draw(4);
    for (World *w = NULL; (w = next_world(w));)
        if (g == MODEL_GROUPS)
            w->scheduler.max_parallel = model.max_parallel;
        else
            w->groups[g]->max_parallel = model.groups[g].max_parallel;
}

static void change_resource(void) {
    unsigned r = draw(MODEL_RESOURCES);

    model.capacity[r] = draw(6);
    for (World *w = NULL; (w = next_world(w));)
        WORLD_CHECK(resource_configure(&w->scheduler.resources, model_resource_names[r],
                                       model.capacity[r]) == 0);
}

static void change_condition(void) {
    unsigned c = draw(MODEL_CONDITIONS);
    const char *name = model_condition_names[c];
    bool remove = happens(20);

    model.holds[c] = !remove && !model.holds[c];
    for (World *w = NULL; (w = next_world(w));)
        if (remove)
            scheduler_remove_condition(&w->scheduler, name, model.now);
        else
            WORLD_CHECK(scheduler_set_condition(&w->scheduler, name, model.holds[c], model.now) ==
                        0);
}

/* ---- the world ---- */

static void change_clock(void) {
    switch (draw(6)) {
    case 0:
        model.now += draw(USEC_PER_HOUR); /* it slept, or was set forward */
        break;
    case 1:
        model.now -= draw(10 * USEC_PER_SEC); /* set back */
        break;
    default:
        model.now += draw(3 * USEC_PER_SEC);
    }
}

/* The next run of a series: now and then so soon that it is over already. */
static void plan_series(void) {
    for (unsigned i = 0; i < model.n; i++) {
        ModelItem *item = &model.items[i];
        if (!item->is_series || item->phase == MODEL_ENDED || item->due > 0 || happens(50))
            continue;
        item->due = model.now + draw(4 * USEC_PER_SEC) - USEC_PER_SEC;
        for (World *w = NULL; (w = next_world(w));) {
            w->tasks[i]->due_at = item->due;
            scheduler_due_changed(&w->scheduler, w->tasks[i], model.now);
        }
    }
}

static void restart(void) {
    if (has_rebuilt)
        world_done(&rebuilt);
    has_rebuilt = true;
    world_rebuild(&rebuilt, &living, &model);
}

/* ---- histories ---- */

static const struct {
    unsigned weight;
    void (*func)(void);
} changes[] = {
    {28, add_some},        {26, end_one},        {6, retry_one},     {5, cancel_one},
    {5, change_priority},  {4, pause_or_resume}, {4, change_limits}, {3, change_resource},
    {4, change_condition}, {8, change_clock},    {4, hand_ahead},    {3, plan_series},
};

static void change(void) {
    unsigned all = 0, i = 0;

    for (size_t k = 0; k < ELEMENTSOF(changes); k++)
        all += changes[k].weight;
    for (unsigned at = draw(all); at >= changes[i].weight; i++)
        at -= changes[i].weight;
    changes[i].func();
}

static void step(void) {
    change();
    set_time();
    if (happens(5)) {
        restart();
        settle();
    }
    if (happens(80))
        start_all();
}

/* Everybody gets what is needed: then all ends. */
static void run_out(void) {
    for (unsigned g = 0; g < MODEL_GROUPS; g++) {
        model.groups[g].paused = false;
        for (World *w = NULL; (w = next_world(w));)
            w->groups[g]->paused = false;
    }
    for (unsigned r = 0; r < MODEL_RESOURCES; r++) {
        model.capacity[r] = 6;
        for (World *w = NULL; (w = next_world(w));)
            WORLD_CHECK(resource_configure(&w->scheduler.resources, model_resource_names[r], 6) ==
                        0);
    }
    for (unsigned c = 0; c < MODEL_CONDITIONS; c++) {
        model.holds[c] = true;
        for (World *w = NULL; (w = next_world(w));)
            WORLD_CHECK(scheduler_set_condition(&w->scheduler, model_condition_names[c], true,
                                                model.now) == 0);
    }
    for (unsigned i = 0; i < model.n; i++)
        if (model.items[i].is_series && model.items[i].phase != MODEL_ENDED) {
            end(i, TASK_CANCELLED);
            settle();
        }
    model.now += USEC_PER_DAY;
    set_time();
    for (unsigned n = 0; n <= model.n && model.n > 0; n++) {
        start_all();
        end_one();
        settle();
    }
    WORLD_CHECK(pick(MODEL_WAITING, MODEL_RUNNING) == MODEL_NONE);
    WORLD_CHECK(!living.scheduler.groups ||
                living.scheduler.queued + living.scheduler.running == 0);
}

static void begin_history(uint64_t seed) {
    world_seed = chance = seed;
    world_step = 0;
    has_rebuilt = false;
    n_groups = 1 + draw(MODEL_GROUPS);
    tokens_percent = draw(4) * 30;
    needs_percent = draw(3) * 20;
    model = (Model){.now = BEGIN, .max_parallel = draw(7)};
    for (unsigned g = 0; g < MODEL_GROUPS; g++)
        model.groups[g].max_parallel = draw(4);
    for (unsigned r = 0; r < MODEL_RESOURCES; r++)
        model.capacity[r] = 1 + draw(4);
    world_init(&living, &model);
}

static void run_history(uint64_t seed) {
    begin_history(seed);
    for (; world_step < STEPS; world_step++)
        step();
    run_out();
    for (unsigned i = 0; i < model.n; i++)
        n_skipped += model.items[i].end == TASK_SKIPPED;
    for (World *w = NULL; (w = next_world(w));)
        world_done(w);
}

static uint64_t setting(const char *name, uint64_t otherwise) {
    uint64_t value = otherwise;
    const char *text = getenv(name);

    WORLD_CHECK(!text || parse_u64(text, &value) == 0);
    return value;
}

START_TEST(test_histories) {
    uint64_t n = setting("LONGRUN_HISTORIES", HISTORIES);
    uint64_t first = setting("LONGRUN_HISTORY_SEED", 1);

    for (uint64_t seed = first; seed < first + n; seed++)
        run_history(seed);
    printf("%" PRIu64 " histories, %u starts, %u skipped\n", n, n_started, n_skipped);
    ck_assert_uint_gt(n_started, n);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("scheduler-histories");
    TCase *t = tcase_create("histories");

    tcase_set_timeout(t, 3600);
    tcase_add_test(t, test_histories);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
