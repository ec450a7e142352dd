/* Claims that are on disk before a task starts, and tasks that are handed to an executor ahead of
 * their slots. */

#include "tests/unit/scheduler-rig.h"

static TaskClaim claim_of(uint64_t id) {
    return rig_tasks[id]->claim;
}

/* How many of the ids from..to are claimed; they are the first of these. */
static unsigned claimed(uint64_t from, uint64_t to) {
    unsigned n = 0;

    for (uint64_t id = from; id <= to; id++) {
        bool is = rig_tasks[id] && claim_of(id) != TASK_CLAIM_NONE;
        ck_assert(!is || n == id - from);
        n += is;
    }
    return n;
}

static uint64_t take_at_once(void) {
    bool unclaimed;
    Task *t = scheduler_take(&rig, &unclaimed);

    if (t)
        MUST(task_set_state(t, TASK_STARTING, rig_now) == 0);
    return t ? t->id : 0;
}

/* ---- claims ---- */

START_TEST(test_no_start_without_claim) {
    bool unclaimed;

    rig_run("M*2 a1 a2 a3");
    ck_assert_ptr_null(scheduler_take(&rig, &unclaimed));
    ck_assert(unclaimed);
    rig_tasks[1]->claim = TASK_CLAIM_PENDING; /* on its way: nothing more to be done */
    ck_assert_ptr_null(scheduler_take(&rig, &unclaimed));
    ck_assert(!unclaimed);
    rig_tasks[1]->claim = TASK_CLAIM_SAFE;
    ck_assert_uint_eq(take_at_once(), 1);
    ck_assert_ptr_null(scheduler_take(&rig, &unclaimed));
    ck_assert(unclaimed);
}
END_TEST

/* Who is claimed by the next commit: exactly those for which there are slots. */
static const struct {
    const char *script;
    const char *claimed; /* ids */
} exact[] = {
    {"M*2 a1 a2 a3", "1 2"},
    {"M*2 Ma1 a1 a2 b3", "1 3"},
    {"a1 a2 a3", "1 2 3"},
    {"M*3 a1 a2 a3 b4 b5 c6", "1 4 6"},
    {"M*4 a1 a2 a3 b4 b5 c6", "1 4 6 2"},
    {"M*4 Pa a1 a2 a3 b4 b5 c6", "4 6 5"},
    {"a1g3 a2g3 a3", "1 3"},
    {"a1g3 b2g3 b3g1 c4n1", "1 4"},
    {"a1 a2>1 a3@100 a4&x a5~", "1"},
    {"M*2 a1 a2+1 a3+2", "3 2"},
};

START_TEST(test_exact) {
    unsigned n = 0;

    rig_run(exact[_i].script);
    uint64_t turn = rig.last_turn;
    unsigned brought = rig_commit();
    for (const char *s = exact[_i].claimed; *s; n++) {
        char *end;
        ck_assert_int_eq(claim_of(strtoul(s, &end, 10)), TASK_CLAIM_PENDING);
        s = end;
    }
    ck_assert_uint_eq(brought, n);
    ck_assert_uint_eq(rig_commit(), 0); /* again */
    /* Nothing has changed but that. */
    ck_assert_uint_eq(rig.running, 0);
    ck_assert_uint_eq(rig.last_turn, turn);
    for (const char *s = exact[_i].claimed; *s;) {
        char *end;
        ck_assert_uint_eq(take_at_once(), strtoul(s, &end, 10));
        s = end;
    }
    ck_assert_uint_eq(take_at_once(), 0);
}
END_TEST

/* As many as the last commit saw started are claimed twice over; when nothing is started, none. */
START_TEST(test_guess) {
    rig_run("M*2 a1 a2 a3 a4 a5 a6 a7 a8 a9 =1 =2");
    ck_assert_uint_eq(rig_commit(), 4);
    ck_assert_uint_eq(rig_commit(), 0);
    rig_run(".1");
    ck_assert_uint_eq(take_at_once(), 3); /* no wait */
    rig_run(".2");
    ck_assert_uint_eq(take_at_once(), 4);
    ck_assert_uint_eq(rig_commit(), 2); /* 5 to 8, of which 5 and 6 are claimed */
    ck_assert_int_eq(claim_of(8), TASK_CLAIM_PENDING);
    ck_assert_int_eq(claim_of(9), TASK_CLAIM_NONE);
}
END_TEST

/* Each lane goes on as it did. */
START_TEST(test_guess_of_groups) {
    rig_run("M*3 a1 a2 a3 a4 b5 b6 b7 b8 b9 c10g1 c11g1 c12g1 c13g1 a14 =1 =5 =10");
    ck_assert_uint_eq(rig_commit(), 6);
    ck_assert_uint_eq(claimed(2, 4), 2);
    ck_assert_uint_eq(claimed(6, 9), 2);
    ck_assert_uint_eq(claimed(11, 13), 2);
}
END_TEST

/* A guess that was wrong never keeps the right one waiting. */
START_TEST(test_wrong_guess) {
    bool unclaimed;

    rig_run("M*1 a1 a2 a3 =1");
    ck_assert_uint_eq(rig_commit(), 2);
    rig_run("a4+5 .1");
    ck_assert_uint_eq(take_at_once(), 0);
    ck_assert_ptr_null(scheduler_take(&rig, &unclaimed));
    ck_assert(unclaimed);
    ck_assert_uint_eq(rig_commit(), 1);
    (void)rig_commit();
    ck_assert_uint_eq(take_at_once(), 4);
    rig_run(".4");
    ck_assert_uint_eq(take_at_once(), 2);
}
END_TEST

static void give_back(void *userdata, Task *t) {
    t->claim = TASK_CLAIM_NONE;
    ++*(unsigned *)userdata;
}

START_TEST(test_each_claim) {
    unsigned n = 0;

    rig_run("M*3 a1 a2 b3 b4 c5>1");
    (void)rig_commit();
    scheduler_each_claim(&rig, give_back, &n);
    ck_assert_uint_eq(n, 3);
    scheduler_each_claim(&rig, give_back, &n);
    ck_assert_uint_eq(n, 3);
}
END_TEST

START_TEST(test_closed) {
    rig_run("a1 a2");
    rig.closed = true;
    ck_assert_uint_eq(rig_commit(), 0);
    ck_assert_uint_eq(take_at_once(), 0);
    ck_assert_ptr_null(scheduler_peek(&rig));
}
END_TEST

/* ---- ahead ---- */

/* Whether the next one may be handed ahead, when all are claimed. */
static const struct {
    const char *script;
    uint64_t id; /* 0: none */
} peeks[] = {
    {"M*1 a1 a2 =1", 2},
    {"a1 a2 =1", 2},
    {"M*1 a1 a2 =1 b3", 0}, /* that one's turn */
    {"M*1 a1 a2 =1 Pb b3", 2},
    {"M*1 a1 a2 =1 Pa", 0},
    {"M*1 Ma2 a1 a2 =1", 2},
    {"M*3 Ma2 a1 a2 a3 =1 =2", 3}, /* a slot of its own group gets free */
    {"M*3 Ma2 a1 a2 a3 b4 =1 =4 =2", 0},
    {"M*2 Ma2 a1 a2 a3 b4 =1 =4", 2}, /* it may have all slots that there are */
    {"M*3 a1 a2 a3 =1 =2 M*1", 0},    /* too many run: no slot is passed on */
    {"Ma2 a1 a2 a3 =1 =2 Ma1", 0},
    {"M*1 a1 a2g1 =1", 0},
    {"M*1 a1 a2 a3g1 =1", 0},  /* it may be next */
    {"M*1 &x+ a1 a2&x =1", 0}, /* it may have to wait again */
};

START_TEST(test_peek) {
    rig_run(peeks[_i].script);
    for (size_t i = 0; i < RIG_TASKS_MAX; i++)
        if (rig_tasks[i] && rig_tasks[i]->place == TASK_PLACE_LANE)
            rig_tasks[i]->claim = TASK_CLAIM_SAFE;
    Task *t = scheduler_peek(&rig);
    ck_assert_uint_eq(t ? t->id : 0, peeks[_i].id);
    if (!t)
        return;
    t->claim = TASK_CLAIM_PENDING;
    ck_assert_ptr_null(scheduler_peek(&rig));
}
END_TEST

static void hand_ahead(uint64_t id) {
    Task *t = scheduler_peek(&rig);

    ck_assert_ptr_eq(t, rig_tasks[id]);
    scheduler_hand_ahead(&rig, t);
}

static void begin(uint64_t id) {
    scheduler_begin(&rig, rig_tasks[id]);
    MUST(task_set_state(rig_tasks[id], TASK_STARTING, rig_now) == 0);
}

/* Who was handed to an executor ahead of a slot counts as queued until it has begun. */
START_TEST(test_ahead) {
    rig_run("M*2 a1 a2 a3 a4 a5 a6 =1 =2");
    (void)rig_commit();
    (void)rig_commit();
    hand_ahead(3);
    hand_ahead(4);
    hand_ahead(5);
    ck_assert_uint_eq(rig.n_ahead, 3);
    ck_assert_uint_eq(rig.queued, 4);
    ck_assert_uint_eq(rig_group('a')->queued, 4);
    ck_assert_uint_eq(take_at_once(), 0);

    /* It has begun, and that is told behind the end of another one, or before. */
    begin(3);
    ck_assert_uint_eq(rig.running, 3);
    rig_run(".1");
    ck_assert_uint_eq(take_at_once(), 0);
    rig_run(".2");
    ck_assert_uint_eq(take_at_once(), 4); /* a slot is free anyway */
    ck_assert_uint_eq(rig.n_ahead, 1);

    scheduler_take_back(&rig, rig_tasks[5]);
    ck_assert_uint_eq(rig.n_ahead, 0);
    ck_assert_uint_eq(rig.queued, 2);
    hand_ahead(5);
    rig_run("x5"); /* cancelled */
    ck_assert_uint_eq(rig.n_ahead, 0);
    ck_assert_uint_eq(rig.queued, 1);
    ck_assert_uint_eq(rig_group('a')->queued, 1);
    rig_run(".3 =6");
}
END_TEST

/* Those that were handed ahead are claimed already. */
START_TEST(test_claims_behind_ahead) {
    rig_run("M*2 a1 a2 a3 a4 a5 a6 a7 a8 =1 =2");
    ck_assert_uint_eq(rig_commit(), 4); /* 3 to 6 */
    (void)rig_commit();
    hand_ahead(3);
    hand_ahead(4);
    rig_run(".1");
    begin(3);
    ck_assert_uint_eq(rig_commit(), 0); /* for 4 and 5 */
    begin(4);
    ck_assert_uint_eq(rig_commit(), 0); /* for 5 and 6 */
    ck_assert_uint_eq(rig_commit(), 0);
}
END_TEST

static const struct {
    char group;
    int32_t priority;
    const char *ready; /* the same task, when it becomes queued */
    bool overtakes;
} overtakers[] = {
    {'a', 0, "a9", false}, {'a', 1, "a9+1", true},  {'a', -1, "a9-1", false},
    {'b', 0, "b9", true},  {'b', -9, "b9-9", true},
};

START_TEST(test_overtake) {
    Group *g = rig_group(overtakers[_i].group);

    rig_run("M*1 a1 a2 a3 =1");
    (void)rig_commit();
    (void)rig_commit();
    ck_assert(!scheduler_would_overtake(&rig, g, overtakers[_i].priority));
    hand_ahead(2);
    ck_assert_int_eq(scheduler_would_overtake(&rig, g, overtakers[_i].priority),
                     overtakers[_i].overtakes);
    rig_run(overtakers[_i].ready);
    ck_assert_int_eq(scheduler_overtakes(&rig, rig_tasks[9]), overtakers[_i].overtakes);
    scheduler_take_back(&rig, rig_tasks[2]);
    ck_assert(!scheduler_overtakes(&rig, rig_tasks[9]));
}
END_TEST

/* An older one that had to wait. */
START_TEST(test_older_overtakes) {
    rig_run("M*1 a1 a2@100 a3 a4 =1");
    (void)rig_commit();
    (void)rig_commit();
    hand_ahead(3);
    ck_assert(!scheduler_overtakes(&rig, rig_tasks[2]));
    rig_run("t100");
    ck_assert(scheduler_overtakes(&rig, rig_tasks[2]));
    scheduler_take_back(&rig, rig_tasks[3]);
    rig_run(".1 =2");
}
END_TEST

static Suite *suite_new(void) {
    Suite *suite = suite_create("scheduler-claims");
    TCase *t = tcase_create("claims");

    tcase_add_checked_fixture(t, rig_setup, rig_teardown);
    tcase_add_test(t, test_no_start_without_claim);
    tcase_add_loop_test(t, test_exact, 0, ELEMENTSOF(exact));
    tcase_add_test(t, test_guess);
    tcase_add_test(t, test_guess_of_groups);
    tcase_add_test(t, test_wrong_guess);
    tcase_add_test(t, test_each_claim);
    tcase_add_test(t, test_closed);
    tcase_add_loop_test(t, test_peek, 0, ELEMENTSOF(peeks));
    tcase_add_test(t, test_ahead);
    tcase_add_test(t, test_claims_behind_ahead);
    tcase_add_loop_test(t, test_overtake, 0, ELEMENTSOF(overtakers));
    tcase_add_test(t, test_older_overtakes);
    suite_add_tcase(suite, t);
    return suite;
}

int main(void) {
    return unit_run(suite_new());
}
