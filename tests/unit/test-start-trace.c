/* Which tasks have been begun on threads: a next daemon sees it, however this one ended. */

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/exec/start-trace.h"
#include "tests/unit/unit.h"

static StartTrace *open_good(void) {
    StartTrace *t;

    ck_assert_int_eq(start_trace_open(&t, unit_path(".")), 0);
    return t;
}

/* Notes a task; gives its place. */
static int note(StartTrace *t, uint64_t id) {
    int place = start_trace_reserve(t);

    MUST(place >= 0);
    ck_assert_int_eq(start_trace_find(t, id), -ENOENT);
    start_trace_note(t, place, id);
    MUST(start_trace_find(t, id) == place);
    return place;
}

static bool contains(const StartTrace *t, uint64_t id) {
    return start_trace_find(t, id) >= 0;
}

static bool keep_none(void *userdata, uint64_t id) {
    return false;
}

static bool keep_one(void *userdata, uint64_t id) {
    return id == *(const uint64_t *)userdata;
}

START_TEST(test_outlives_the_daemon) {
    uint64_t kept = 700;
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        StartTrace *t = open_good();
        for (uint64_t id = 1; id <= 100; id++) {
            int place = note(t, id * 7);
            if (id == 3)
                start_trace_release(t, place);
        }
        MUST(start_trace_reserve(t) >= 0); /* it has not begun */
        (void)kill(getpid(), SIGKILL);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status));

    StartTrace *t = open_good();
    ck_assert(contains(t, 7));
    ck_assert(contains(t, 700));
    ck_assert(!contains(t, 21));
    ck_assert(!contains(t, 8));
    start_trace_keep(t, keep_one, &kept);
    ck_assert(!contains(t, 7));
    ck_assert(contains(t, 700));
    start_trace_close(t);
    t = open_good();
    ck_assert(!contains(t, 7));
    ck_assert(contains(t, 700));
    start_trace_release(t, start_trace_find(t, 700));
    ck_assert(!contains(t, 700));
    start_trace_close(t);
}
END_TEST

START_TEST(test_full) {
    StartTrace *t = open_good();
    int place = -1;

    for (uint64_t id = 1; id <= START_TRACE_MAX; id++) {
        int p = note(t, id);
        if (id == 77)
            place = p;
    }
    ck_assert_int_eq(start_trace_reserve(t), -ENOBUFS);
    start_trace_release(t, place);
    ck_assert_int_eq(note(t, 100000), place);
    ck_assert_int_eq(start_trace_reserve(t), -ENOBUFS);
    ck_assert(!contains(t, 77));
    start_trace_close(t);

    /* What is in it counts for the next one as well. */
    t = open_good();
    ck_assert_int_eq(start_trace_reserve(t), -ENOBUFS);
    start_trace_keep(t, keep_none, NULL);
    for (uint64_t id = 1; id <= START_TRACE_MAX; id++)
        note(t, id);
    ck_assert_int_eq(start_trace_reserve(t), -ENOBUFS);
    start_trace_close(t);
}
END_TEST

/* In whatever order they come and go, each has its place to itself. */
START_TEST(test_random) {
    int places[201];
    StartTrace *t = open_good();
    unsigned seed = 42;

    for (size_t i = 0; i < ELEMENTSOF(places); i++)
        places[i] = -1;
    for (int i = 0; i < 20000; i++) {
        uint64_t id = (unsigned)rand_r(&seed) % 200 + 1;
        if (places[id] >= 0)
            start_trace_release(t, places[id]);
        places[id] = places[id] >= 0 ? -1 : note(t, id);
    }
    for (uint64_t id = 1; id <= 200; id++)
        MUST(start_trace_find(t, id) == (places[id] >= 0 ? places[id] : -ENOENT));
    start_trace_close(t);
}
END_TEST

START_TEST(test_no_folder) {
    StartTrace *t;

    ck_assert_int_eq(start_trace_open(&t, unit_path("missing")), -ENOENT);
    ck_assert_ptr_null(start_trace_close(NULL));
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("start-trace");
    TCase *t = tcase_create("start-trace");

    unit_use_dir(t);
    tcase_add_test(t, test_outlives_the_daemon);
    tcase_add_test(t, test_full);
    tcase_add_test(t, test_random);
    tcase_add_test(t, test_no_folder);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
