/* Who runs next, and why not yet: scripts, see scheduler-rig.h. The random histories (see there)
 * cover more; these say what is meant. */

#include <errno.h>

#include "tests/unit/scheduler-rig.h"

/* clang-format off */
static const char *const order[] = {
    "=0",
    "M*2 a1 a2 a3 =1 =2 =0 .1 =3 =0 .2 .3 =0",
    "a1 a2 a3 =1 =2 =3 =0",
    /* The higher priority goes first, and then the older one. */
    "M*1 a1 a2+5 a3-5 a4+5 =2 .2 =4 .4 =1 .1 =3",
    "M*1 a1 a2+1000000 a3-1000000 =2 .2 =1 .1 =3",
    "M*1 a1 a2 a3 !3+1 =3 .3 !1-1 =2 .2 =1",
    "M*1 a1 a2 a3 !2+1 !2+0 =1 .1 =2 .2 =3",
    /* Those that run go on; the next one starts when they are few enough. */
    "a1 a2 a3 =1 =2 M*1 =0 .1 =0 .2 =3",
    "M*1 a1 a2 a3 =1 =0 M*3 =2 =3",
    "M*1 a1 a2 a3 x1 x3 =2 .2 =0",
    /* Back to its place, before all that came later. */
    "M*2 a1 a2 a3 =1 =2 ,1 w1 t11 q1 =1 =0",
    "M*2 a1 a2 =1 =2 ,1 a3 =3 =0 t11 =0 .2 =1",
};

static const char *const turns[] = {
    "M*1 a1 a2 a3 b4 b5 c6 =1 .1 =4 .4 =6 .6 =2 .2 =5 .5 =3",
    /* Priorities are for those of one group. */
    "M*1 a1 a2 a3 b4+9 b5+9 =1 .1 =4 .4 =2 .2 =5 .5 =3",
    /* Who comes now and then does not wait behind a crowd, nor is it served twice for it. */
    "M*1 a1 a2 a3 =1 b4 b5 .1 =4 .4 =2 .2 =5",
    "M*1 a1 b2 =1 .1 =2 a3 b4 .2 =3 .3 =4",
    /* A group's own limit. */
    "Ma1 a1 a2 b3 b4 =1 =3 =4 =0 .1 =2",
    "Ma2 a1 a2 a3 =1 =2 =0 .2 =3 =0 Ma3 a4 =4 =0 Ma0 a5 =5",
    "Ma2 a1 a2 a3 =1 =2 Ma1 .1 =0 .2 =3",
    "M*2 Ma1 a1 a2 b3 b4 =1 =3 =0 .1 =2 .3 =4",
    /* Who had to pass keeps its place. */
    "M*2 Ma1 a1 a2 b3 b4 b5 =1 =3 .3 =4 .1 =2",
    /* Paused. */
    "Pa a1 b2 =2 =0 Ra =1",
    "Pa Pb Pc a1 b2 c3 =0 Rb =2 =0 Ra Rc =1 =3",
    "M*1 a1 a2 b3 =1 Pa .1 =3 .3 =0 Ra =2",
};

static const char *const tokens[] = {
    "a1g4 a2g1 =1 =0 .1 =2",
    "a1g2 a2g2 a3g1 =1 =2 =0 .1 =3",
    "a1g1n1 a2n1 a3n1 =1 =2 =0 .1 =3",
    /* All at once or none: who waits for a gpu has no net meanwhile. But it is kept for it. */
    "a1g4 =1 a2g1n2 a3n1 a4 =4 =0 .1 =2 =0 .2 =3",
    /* Those that want none of the same pass by. */
    "a1g4 =1 a2g1 a3n1 a4 =3 =4 =0",
    "M*2 a1g4 =1 a2g1 a3 a4 =3 .3 =4 .1 =2",
    /* A stream of small claims does not keep a large one waiting, of its own group or another. */
    "a1g1 a2g1 =1 =2 a3g4 a4g1 a5g1 =0 .1 =0 .2 =3 =0 .3 =4 =5",
    "b1g1 b2g1 =1 =2 a3g4 b4g1 b5g1 =0 .1 =0 .2 =3 =0 .3 =4 =5",
    /* Also where its group is busy with others: they have passed by. */
    "Ma1 b1g3 =1 a2g4 a3 =3 b4g1 =0 .1 =0 .3 =2 =0 .2 =4",
    /* But a group that is busy anyway keeps nothing from others. */
    "Ma1 a1 =1 a2g4 b3g1 =3 .1 =0 .3 =2",
    /* And it is not its turn that counts: tokens go by the order of all. */
    "M*1 b1 =1 .1 a2 =2 a3g4 b4g1 b5 .2 =5 .5 =3 .3 =4",
    "M*2 a1g3 b2 =1 =2 a3g4 b4g1 b5 .2 =5 .5 =0 .1 =3 =0 .3 =4",
    /* A higher priority comes before, in whatever group. */
    "a1g4 =1 a2g2 b3+1g3 .1 =3 =0 .3 =2",
    "a1g4 =1 a2g2 b3g3 .1 =2 =0 .2 =3",
    /* Who cannot have them at all keeps nobody waiting. */
    "a1g4 Mg3 a2g1 =2 =0 Mg0 a3g1n1 a4n1 =4 =0 Mg4 .2 =1",
    "a1g4 =1 Mg2 a2g1 =0 .1 =2",
    "Pa a1g4 b2g1 =2 =0 Ra =0 .2 =1",
    /* Held for as long as it runs, also when that is over by another attempt. */
    "a1g4 a2g4 =1 ,1 =2 t11 =0 .2 =1",
    "a1g4 a2g4 =1 x2 .1 =0 a3g4 =3",
    /* The order within a group. */
    "a1g2 a2+1g4 a3g2 =2 =0 .2 =1 =3",
    "M*1 a1g1 a2 a3g1 =1 .1 =2 .2 =3",
    "M*1 a1 a2+1g1 =2 .2 =1",
};

static const char *const waiting[] = {
    "a1 a2>1 q1 w2 =1 =0 w2 .1 q2 =2",
    "a1 a2>1 a3?1 a4<1 =1 f1 s2 q3 q4 =3 =4",
    "a1 a2>1 a3?1 a4<1 =1 .1 q2 q3 s4",
    "a1 a2>1 a3?1 a4<1 =1 x1 s2 q3 s4",
    "a1 a2>1 x1 s2",
    /* Down the whole chain. */
    "a1 a2>1 b3>2 c4>3 c5?4 c6<4 =1 f1 s2 s3 s4 q5 s6",
    "a1 a2 a3>1>2 a4>3 =1 =2 .1 w3 .2 q3 w4 =3 .3 q4",
    "a1 a2 a3>1>2 =1 =2 .1 f2 s3",
    "a1 a2 a3>1>2 =1 =2 f1 s3 .2",
    "a1 a2>1?1 =1 f1 s2",
    "a1 a2>1 a3>1>2 =1 f1 s2 s3", /* once, not twice */
    "a1 a2>1 x2 =1 f1 =0",
    "a1 a2>1 =1 ,1 w2 t11 =1 .1 q2",
    /* Time. */
    "a1@100 w1 t99 w1 =0 t100 q1 =1",
    "a1@100 t50 t150 q1 t50 q1 =1", /* once it has come, it has */
    "a1 a2>1@100 =1 t200 .1 q2",
    "a1 a2>1@100 =1 .1 w2 t200 q2",
    "a1@1 a2@0 q1 q2",
    "a1@100 a2@50 a3@70 t60 w1 q2 w3 x3 x1 t200 =2 =0",
    "a1@100 a2 !1+5 =2 .2 t100 =1",
    "M*1 a1+1@100 a2 a3 =2 t100 .2 =1 .1 =3",
    /* Conditions. */
    "a1&x w1 =0 &x- w1 &x+ q1 =1",
    "&x+ a1&x q1 &x- w1 =0 &x+ q1 =1",
    "&x+ a1&x a2&y q1 w2 &x0 w1 &y+ q2 =2 =0 &x- &x+ =1",
    "a1 a2>1@100&x =1 &x+ w2 t100 w2 .1 q2",
    "a1 a2>1@100&x =1 .1 t100 w2 &x+ q2 &x- w2 t50 &x+ q2",
    "&x+ a1&x =1 &x- .1",
    "a1@100&x x1 &x+ t100 =0",
    /* A series only waits. */
    "a1@10~ w1 t10 w1 t20 =0 x1",
    "a1~ w1 t10 =0 x1",
    "a1 a2>1@10~ t20 w2 =1 .1 w2 t30 w2 x2",
    "a1 a2>1~ =1 f1 s2",
};
/* clang-format on */

static void run(const char *script) {
    rig_run(script);
}

START_TEST(test_order) {
    run(order[_i]);
}
END_TEST

START_TEST(test_turns) {
    run(turns[_i]);
}
END_TEST

START_TEST(test_tokens) {
    run(tokens[_i]);
}
END_TEST

START_TEST(test_waiting) {
    run(waiting[_i]);
}
END_TEST

/* ---- more than a script can say ---- */

START_TEST(test_closed) {
    rig_run("M*2 a1 a2 a3 =1");
    rig.closed = true;
    rig_run("=0 .1 =0");
    ck_assert_uint_eq(rig_commit(), 0);
    rig.closed = false;
    rig_run("=2 =3");
}
END_TEST

/* Those of an earlier daemon run, be there room for them or not. */
START_TEST(test_occupy) {
    rig_run("M*2 Ma1 Mg1");
    for (uint64_t id = 1; id <= 3; id++) {
        Task *t = rig_new_task((char[]){'a', (char)('0' + id), 'g', '1', '\0'});
        MUST(task_set_state(t, TASK_STARTING, rig_now) == 0);
        group_task_added(t->group, t);
        scheduler_occupy(&rig, t, t->group);
    }
    ck_assert_uint_eq(rig.running, 3);
    rig_run("b4g1 a5 b6 =0 .1 =0 .2 =6 =0 .3 =5 =0 .6 =4");
}
END_TEST

START_TEST(test_next_due) {
    ck_assert_uint_eq(scheduler_next_due(&rig), USEC_INFINITY);
    rig_run("a1@100 a2@50 a3 a4>3@20 a5~ a6@70~");
    ck_assert_uint_eq(scheduler_next_due(&rig), 50);
    rig_run("=3 .3");
    ck_assert_uint_eq(scheduler_next_due(&rig), 20);
    rig_run("t50");
    ck_assert_uint_eq(scheduler_next_due(&rig), 70);
    rig_run("t70 x6"); /* its next one is at 90 */
    ck_assert_uint_eq(scheduler_next_due(&rig), 100);
    rig_tasks[1]->due_at = 80;
    scheduler_due_changed(&rig, rig_tasks[1], rig_now);
    ck_assert_uint_eq(scheduler_next_due(&rig), 80);
    rig_tasks[1]->due_at = 60;
    scheduler_due_changed(&rig, rig_tasks[1], rig_now);
    ck_assert_uint_eq(scheduler_next_due(&rig), USEC_INFINITY);
    rig_run("q1");
}
END_TEST

/* A series whose time is over as soon as it is given comes once for each call. */
START_TEST(test_series_in_the_past) {
    rig_run("a1@10~ a2@10");
    rig_now = 10;
    rig_tasks[1]->due_at = 5;
    scheduler_due_changed(&rig, rig_tasks[1], rig_now);
    rig_run("t1000 q2");
    ck_assert_uint_eq(scheduler_next_due(&rig), 1020);
}
END_TEST

START_TEST(test_counts) {
    const Group *a = rig_group('a');

    rig_run("M*1 a1 a2 a3>1 a4@100 b5 =1");
    ck_assert_uint_eq(a->active, 4);
    ck_assert_uint_eq(a->running, 1);
    ck_assert_uint_eq(a->queued, 1);
    ck_assert_uint_eq(a->waiting, 2);
    ck_assert_uint_eq(rig.queued, 4);
    ck_assert_uint_eq(rig.running, 1);
    unsigned n = 0;
    for (Task *t = NULL; (t = scheduler_next_pending(&rig, a, t)); n++)
        ck_assert_ptr_eq(t->group, a);
    ck_assert_uint_eq(n, 3);
    for (Task *t = NULL; (t = scheduler_next_pending(&rig, NULL, t));)
        n++;
    ck_assert_uint_eq(n, 3 + 4);
    ck_assert_ptr_null(scheduler_next_pending(&rig, rig_group('c'), NULL));
    rig_run("x4 x2 f1 x5"); /* and 3 is skipped */
    ck_assert(group_is_empty(a));
    ck_assert_uint_eq(rig.queued + rig.running + rig.queued_bytes, 0);
}
END_TEST

/* What was counted for a task when it came is what goes with it, whatever becomes of its label. */
START_TEST(test_bytes_come_and_go) {
    _cleanup_free_ char *label = unit_repeat('l', 500);

    rig_run("a1 a2");
    size_t two = rig.queued_bytes;
    ck_assert_uint_eq(two, 2 * task_spec_size(rig_tasks[1]->spec));
    unit_set(&rig_tasks[1]->spec->label, label);
    rig_run("=1");
    ck_assert_uint_eq(rig.queued_bytes, two / 2);
}
END_TEST

/* ---- depth and width ---- */

#define MANY 10000

static unsigned n_skipped, n_ready;

static void count_ready(void *userdata, Task *t) {
    n_ready++;
}

static void skip(void *userdata, Task *t, const Task *cause) {
    Scheduler *s = userdata;

    n_skipped++;
    scheduler_remove(s, t);
    MUST(task_set_state(t, TASK_SKIPPED, 1) == 0);
    scheduler_task_ended(s, t, 1);
}

static const SchedulerEvents counting = {.ready = count_ready, .doomed = skip};

/* 10,000 in a chain, or behind one; the first fails, or succeeds. */
START_TEST(test_many) {
    static Task *tasks[MANY + 1];
    bool chain = _i & 1, fails = _i & 2;
    Scheduler s;
    Group *g = group_new("build");

    scheduler_init(&s, 1, 2 * MANY, &counting, &s);
    MUST(g && scheduler_add_group(&s, g) == 0);
    n_skipped = n_ready = 0;
    for (unsigned i = 0; i <= MANY; i++) {
        tasks[i] = unit_task_new(i + 1);
        if (i > 0)
            MUST(task_ties_add_dependency(tasks[i], DEPENDENCY_AFTER, tasks[chain ? i - 1 : 0]) ==
                 1);
        scheduler_add(&s, tasks[i], g, 1);
    }
    ck_assert_uint_eq(g->waiting, MANY);
    scheduler_remove(&s, tasks[0]);
    MUST(task_set_state(tasks[0], TASK_STARTING, 1) == 0);
    MUST(task_set_state(tasks[0], fails ? TASK_FAILED : TASK_SUCCEEDED, 1) == 0);
    scheduler_task_ended(&s, tasks[0], 1);
    ck_assert_uint_eq(n_skipped, fails ? MANY : 0);
    ck_assert_uint_eq(n_ready, fails ? 0 : chain ? 1 : MANY);
    for (unsigned i = 0; i <= MANY; i++)
        task_free(tasks[i]);
    scheduler_done(&s);
}
END_TEST

/* A large claim between two streams: one of small claims, and one of its own group that passes by
 * it. It starts as soon as what held its tokens when it came has ended. */
START_TEST(test_no_starving) {
    uint64_t running[RIG_TASKS_MAX] = {1, 3}, id = 0;
    size_t n = 2;

    rig_run("M*6 Ma1 b1g2 b3g2 =1 =3 a2g4");
    for (unsigned next = 4; id != 2 && next < 30; next += 3) {
        char words[64];
        snprintf(words, sizeof(words), "a%u b%ug1 b%u", next, next + 1, next + 2);
        rig_run(words);
        while ((id = rig_take()) > 2)
            running[n++] = id;
        rig_end(running[0], TASK_SUCCEEDED);
        memmove(running, running + 1, --n * sizeof(running[0]));
    }
    ck_assert_uint_eq(id, 2);
}
END_TEST

/* ---- room ---- */

/* clang-format off */
static const struct {
    unsigned max_queued, max_parallel, n_queued;      /* of all */
    unsigned group_max_queued, group_max_parallel;
    unsigned n;
    bool draining, fits;
    const char *word;
} rooms[] = {
    {10, 1, 0, 0, 0, 11, false, true,  NULL}, /* there is a slot for one */
    {10, 1, 0, 0, 0, 12, false, false, "MaxQueued="},
    {10, 1, 9, 0, 0, 2,  false, true,  NULL},
    {10, 1, 9, 0, 0, 3,  false, false, "MaxQueued="},
    {0,  0, 0, 0, 0, 60, false, true,  NULL},
    {10, 1, 0, 2, 0, 3,  false, true,  NULL},
    {10, 1, 0, 2, 0, 4,  false, false, "group a"},
    {10, 4, 0, 2, 1, 3,  false, true,  NULL},
    {10, 4, 0, 2, 1, 4,  false, false, "no room for 4 more: 0 wait"},
    {10, 4, 3, 2, 1, 0,  false, true,  NULL},
    {10, 4, 3, 2, 1, 1,  false, false, "3 wait"},
    {10, 1, 0, 0, 0, 1,  true,  false, "longrun resume a"},
};
/* clang-format on */

START_TEST(test_room) {
    _cleanup_(task_freep) Task *t = unit_task_new(99);
    _cleanup_error_ Error e = {};
    Group *groups[60], *a = rig_group('a');
    TaskSpec *specs[60];

    rig.max_queued = rooms[_i].max_queued;
    rig.max_parallel = rooms[_i].max_parallel;
    a->max_queued = rooms[_i].group_max_queued;
    a->max_parallel = rooms[_i].group_max_parallel;
    for (unsigned i = 0; i < rooms[_i].n_queued; i++)
        rig_run((char[]){'a', (char)('1' + i), '\0'});
    a->draining = rooms[_i].draining;
    for (unsigned i = 0; i < rooms[_i].n; i++) {
        specs[i] = t->spec;
        groups[i] = a;
    }
    int r = scheduler_check_room(&rig, specs, groups, rooms[_i].n, &e);
    ck_assert_int_eq(r, rooms[_i].fits ? 0 : -EREMOTE);
    ck_assert_int_eq(e.code, rooms[_i].fits ? ERROR_NONE : ERROR_QUEUE_FULL);
    ck_assert(rooms[_i].fits || strstr(e.message, rooms[_i].word));
}
END_TEST

/* One group's room is not another's. */
START_TEST(test_room_of_two_groups) {
    _cleanup_(task_freep) Task *t = unit_task_new(99);
    _cleanup_error_ Error e = {};
    Group *a = rig_group('a'), *b = rig_group('b');
    TaskSpec *specs[] = {t->spec, t->spec, t->spec, t->spec};

    rig.max_parallel = 1;
    a->max_queued = 1;
    b->max_queued = 1;
    ck_assert_int_eq(scheduler_check_room(&rig, specs, (Group *[]){a, b, a, b}, 4, &e), 0);
    ck_assert_int_eq(scheduler_check_room(&rig, specs, (Group *[]){a, b, a, a}, 4, &e), -EREMOTE);
}
END_TEST

START_TEST(test_room_in_bytes) {
    _cleanup_(task_freep) Task *t = unit_task_new(99);
    _cleanup_error_ Error e = {};
    Group *a = rig_group('a');
    size_t one = task_spec_size(t->spec);

    rig.queued_bytes = SCHEDULER_QUEUED_BYTES_MAX - one;
    ck_assert_int_eq(scheduler_check_room(&rig, &t->spec, &a, 1, &e), 0);
    rig.queued_bytes++;
    ck_assert_int_eq(scheduler_check_room(&rig, &t->spec, &a, 1, &e), -EREMOTE);
    ck_assert(strstr(e.message, "256.0M"));
}
END_TEST

static Suite *suite_new(void) {
    Suite *suite = suite_create("scheduler");
    TCase *t = tcase_create("scheduler");

    tcase_add_checked_fixture(t, rig_setup, rig_teardown);
    tcase_add_loop_test(t, test_order, 0, ELEMENTSOF(order));
    tcase_add_loop_test(t, test_turns, 0, ELEMENTSOF(turns));
    tcase_add_loop_test(t, test_tokens, 0, ELEMENTSOF(tokens));
    tcase_add_loop_test(t, test_waiting, 0, ELEMENTSOF(waiting));
    tcase_add_test(t, test_closed);
    tcase_add_test(t, test_occupy);
    tcase_add_test(t, test_next_due);
    tcase_add_test(t, test_series_in_the_past);
    tcase_add_test(t, test_counts);
    tcase_add_test(t, test_bytes_come_and_go);
    tcase_add_loop_test(t, test_many, 0, 4);
    tcase_add_test(t, test_no_starving);
    tcase_add_loop_test(t, test_room, 0, ELEMENTSOF(rooms));
    tcase_add_test(t, test_room_of_two_groups);
    tcase_add_test(t, test_room_in_bytes);
    suite_add_tcase(suite, t);
    return suite;
}

int main(void) {
    return unit_run(suite_new());
}
