/* Random histories of a scheduler and a table together: whatever comes, starts, is cancelled, ends
 * and is removed, no slot too many is taken, the order is kept, the counts are right and no task is
 * lost. A plain list beside them says what must be. */

#include <stdio.h>

#include "daemon/core/scheduler.h"
#include "daemon/core/task-table.h"
#include "tests/unit/unit-task.h"

#define STEPS 4000
#define TASKS_MAX STEPS

typedef enum Fate {
    GONE, /* or not yet there */
    WAITS,
    RUNS,
    ENDED,
} Fate;

static const unsigned seeds[] = {1, 2, 3, 42, 1977, 20001, 65537, 999983};

static unsigned seed;
static Scheduler scheduler;
static Group *group;
static TaskTable table;
static Fate fates[TASKS_MAX + 1]; /* by id */
static uint64_t end_order[TASKS_MAX];
static size_t n_ended_ever, n_fates[ENDED + 1];
static uint64_t last_id, last_taken;

static unsigned any(unsigned n) {
    return (unsigned)rand_r(&seed) % n;
}

static void set_fate(uint64_t id, Fate fate) {
    n_fates[fates[id]]--;
    fates[id] = fate;
    n_fates[fate]++;
}

/* One of the tasks with that fate, 0 when there is none. */
static uint64_t any_with(Fate fate) {
    if (n_fates[fate] == 0)
        return 0;
    uint64_t id = any((unsigned)last_id) + 1;
    while (fates[id] != fate)
        id = id % last_id + 1;
    return id;
}

static void step_add(void) {
    _cleanup_error_ Error e = {};
    Task *t = unit_task_new(last_id + 1);
    size_t slots = scheduler.max_parallel == 0 ? SIZE_MAX / 2
                   : scheduler.max_parallel > scheduler.running
                       ? scheduler.max_parallel - scheduler.running
                       : 0;
    bool room = n_fates[WAITS] < scheduler.max_queued + slots;

    MUST((scheduler_check_room(&scheduler, &t->spec, &group, 1, &e) == 0) == room);
    if (!room) {
        task_free(t);
        return;
    }
    last_id++;
    task_table_add(&table, t);
    scheduler_add(&scheduler, t, group, last_id);
    set_fate(last_id, WAITS);
}

/* A commit that is over at once. */
static void on_claim(void *userdata, Task *t) {
    t->claim = TASK_CLAIM_SAFE;
}

static void step_take(void) {
    bool may = !scheduler.closed && n_fates[WAITS] > 0 &&
               (scheduler.max_parallel == 0 || n_fates[RUNS] < scheduler.max_parallel);
    bool unclaimed;
    Task *t = scheduler_take(&scheduler, &unclaimed);

    MUST(!t || t->claim == TASK_CLAIM_SAFE);
    if (!t && unclaimed) {
        scheduler_claim(&scheduler, on_claim, NULL);
        t = scheduler_take(&scheduler, &unclaimed);
    }
    MUST((t != NULL) == may);
    if (!t)
        return;
    /* First in, first out: those before it have all been taken, or do not wait any more. */
    MUST(t->id > last_taken && fates[t->id] == WAITS);
    for (uint64_t id = last_taken + 1; id < t->id; id++)
        MUST(fates[id] != WAITS);
    last_taken = t->id;
    MUST(task_set_state(t, TASK_STARTING, last_id) == 0);
    set_fate(t->id, RUNS);
}

static void step_hand_ahead(void) {
    Task *t = scheduler_peek(&scheduler);

    if (t)
        scheduler_hand_ahead(&scheduler, t);
}

static void step_take_back(void) {
    Task *t = TAILQ_LAST(&scheduler.ahead, TaskQueue);

    if (t)
        scheduler_take_back(&scheduler, t);
}

static void end(uint64_t id, TaskState state) {
    Task *t = task_table_find(&table, id);

    MUST(task_set_state(t, state, last_id) == 0);
    task_table_ended(&table, t);
    end_order[n_ended_ever++] = id;
    t->told = any(4) > 0;
    set_fate(id, ENDED);
}

static void step_end(void) {
    uint64_t id = any_with(RUNS);

    if (id == 0)
        return;
    scheduler_release(&scheduler, task_table_find(&table, id));
    end(id, any(2) ? TASK_SUCCEEDED : TASK_FAILED);
}

static void step_cancel(void) {
    uint64_t id = any_with(WAITS);

    if (id == 0)
        return;
    scheduler_remove(&scheduler, task_table_find(&table, id));
    end(id, TASK_CANCELLED);
}

static void step_relabel(void) {
    char label[64];
    uint64_t id = any_with(WAITS);

    if (id == 0)
        return;
    snprintf(label, sizeof(label), "%.*s", (int)any(60),
             "a label which was not there when the task came in, and long");
    unit_set(&task_table_find(&table, id)->spec->label, label);
}

static void drop(uint64_t id) {
    Task *t = task_table_find(&table, id);

    task_table_take(&table, t);
    task_free(t);
    set_fate(id, GONE);
}

static void step_remove(void) {
    uint64_t id = any_with(ENDED);

    if (id > 0)
        drop(id);
}

/* Those that ended first leave memory, up to one that has not been told of. */
static void step_evict(void) {
    for (size_t i = 0; i < n_ended_ever; i++) {
        if (fates[end_order[i]] != ENDED)
            continue;
        Task *t = task_table_find(&table, end_order[i]);
        if (!t->told) {
            t->told = true; /* by the next time */
            break;
        }
        set_fate(end_order[i], GONE);
    }
    for (Task *t = TAILQ_FIRST(&table.ended); t; t = TAILQ_NEXT(t, ahead))
        if (fates[t->id] == ENDED) {
            t->told = false;
            task_table_evict(&table, true);
            t->told = true;
            return;
        }
    task_table_evict(&table, true);
}

static void step_configure(void) {
    scheduler.max_parallel = any(6);
    scheduler.max_queued = any(60);
    scheduler.closed = any(5) == 0;
}

static void check_counts(void) {
    MUST(scheduler.queued == n_fates[WAITS]);
    MUST(scheduler.running == n_fates[RUNS]);
    MUST(table.n_ended == n_fates[ENDED]);
    MUST((scheduler.queued_bytes > 0) == (n_fates[WAITS] > 0));
}

static void check_all(void) {
    Task *t = task_table_begin(&table, false);

    for (uint64_t id = 1; id <= last_id; id++) {
        Task *found = task_table_find(&table, id);
        MUST((found != NULL) == (fates[id] != GONE));
        if (!found)
            continue;
        MUST(found == t); /* the walk comes by all of them, in order */
        MUST(task_is_final(t) == (fates[id] == ENDED));
        MUST((t->state == TASK_QUEUED) == (fates[id] == WAITS));
        t = task_table_next(&table, t, false);
    }
    MUST(!t);
}

START_TEST(test_history) {
    /* More often what makes a history long. */
    void (*const steps[])(void) = {step_add,        step_add,      step_add,     step_take,
                                   step_take,       step_take,     step_end,     step_end,
                                   step_cancel,     step_remove,   step_relabel, step_evict,
                                   step_hand_ahead, step_take_back};

    seed = seeds[_i];
    scheduler_init(&scheduler, 3, 50, NULL, NULL);
    group = group_new("build");
    MUST(group);
    scheduler_add_group(&scheduler, group);
    task_table_init(&table);
    n_fates[GONE] = TASKS_MAX + 1;
    for (int i = 0; i < STEPS; i++) {
        if (any(50) == 0)
            step_configure();
        steps[any(ELEMENTSOF(steps))]();
        check_counts();
        if (i % 100 == 0)
            check_all();
    }
    ck_assert_uint_gt(last_id, STEPS / 20); /* it was one */

    /* All of them come to an end. */
    scheduler.closed = false;
    scheduler.max_parallel = 2;
    while (n_fates[WAITS] + n_fates[RUNS] > 0) {
        step_take();
        step_take();
        step_end();
    }
    check_counts();
    check_all();
    ck_assert_uint_eq(n_ended_ever, last_id);
    task_table_done(&table);
    scheduler_done(&scheduler);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("history");
    TCase *t = tcase_create("history");

    tcase_set_timeout(t, 30);
    tcase_add_loop_test(t, test_history, 0, ELEMENTSOF(seeds));
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
