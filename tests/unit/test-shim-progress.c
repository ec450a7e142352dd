/* When what is read, of output that comes fast or stops in the midst of a line, with a clock of the
 * test's own. */

#include <stdlib.h>

#include "common/cleanup.h"
#include "daemon/shim/shim-progress.h"
#include "tests/unit/unit.h"

#define MSEC USEC_PER_MSEC
#define BEGIN (1000 * USEC_PER_SEC)
#define SLICE (50 * MSEC)

static ShimProgress p;
static uint64_t now;

static void set_up(void) {
    p = (ShimProgress){};
    now = BEGIN;
}

static void tear_down(void) {
    shim_progress_done(&p);
}

static void feed_to(LogStream stream, const char *text) {
    shim_progress_feed(&p, stream, text, strlen(text));
    shim_progress_tick(&p, now);
}

static void feed(const char *text) {
    feed_to(LOG_STREAM_STDOUT, text);
}

/* More than a slice has room for, in pieces of this size. */
static void flood(size_t piece) {
    _cleanup_free_ char *data = malloc(piece);

    memset(data, 'x', piece);
    data[piece - 1] = '\n';
    for (size_t done = 0; done < 20 * KIB; done += piece) {
        shim_progress_feed(&p, LOG_STREAM_STDOUT, data, piece);
        shim_progress_tick(&p, now);
    }
}

static int percent(void) {
    double fraction = progress_reader_state(p.reader)->fraction;

    return fraction < 0 ? -1 : (int)(fraction * 100 + 0.5);
}

/* Lets the time pass up to what is due next. */
static void wait_until_due(uint64_t expected) {
    ck_assert_uint_eq(shim_progress_due(&p), expected);
    now = expected;
    shim_progress_tick(&p, now);
}

START_TEST(test_nothing) {
    shim_progress_tick(&p, now);
    ck_assert_ptr_null(p.reader);
    ck_assert_uint_eq(shim_progress_due(&p), USEC_INFINITY);
    shim_progress_finish(&p);
    shim_progress_retell(&p);
    ck_assert(!p.pending);
    ck_assert_ptr_null(p.reader);
}
END_TEST

START_TEST(test_lines) {
    feed("10%\n20%\n");
    ck_assert_int_eq(percent(), 20);
    ck_assert(p.pending);
    ck_assert_uint_eq(shim_progress_due(&p), USEC_INFINITY);
    shim_progress_sent(&p);
    feed("20%\n");
    ck_assert(!p.pending);
}
END_TEST

START_TEST(test_unfinished_line) {
    feed("10%\r20%");
    ck_assert_int_eq(percent(), -1);
    now += 10 * MSEC;
    shim_progress_tick(&p, now);
    wait_until_due(BEGIN + 50 * MSEC);
    ck_assert_int_eq(percent(), 20);
    ck_assert_uint_eq(shim_progress_due(&p), USEC_INFINITY);
}
END_TEST

/* As long as there is more to come. */
START_TEST(test_line_in_pieces) {
    feed("10%\r20");
    now += 40 * MSEC;
    feed(" ");
    now += 40 * MSEC;
    feed("of 4");
    now += 40 * MSEC;
    feed("00");
    ck_assert_int_eq(percent(), -1);
    now += 40 * MSEC;
    feed("\n30 of 400\n");
    ck_assert_int_eq(percent(), 8);
    ck_assert_uint_eq(shim_progress_due(&p), USEC_INFINITY);
}
END_TEST

static const size_t pieces[] = {7, 100, 2000, 2048, 2049, 5000, 20 * KIB, 128 * KIB};

/* What was said last in it is read when the slice is over. */
START_TEST(test_flood) {
    feed("10%\n20%\n");
    flood(pieces[_i]);
    feed("30%\n");
    ck_assert_int_eq(percent(), 20);
    wait_until_due(BEGIN + SLICE);
    ck_assert_int_eq(percent(), 30);
    ck_assert_uint_eq(shim_progress_due(&p), USEC_INFINITY);
    feed("40%\n"); /* there is room again */
    ck_assert_int_eq(percent(), 40);
}
END_TEST

/* An unfinished line too, once nothing more of it comes. */
START_TEST(test_flood_and_unfinished_line) {
    feed("10%\n20%\n");
    flood(pieces[_i]);
    feed("30%");
    wait_until_due(BEGIN + SLICE);
    ck_assert_int_eq(percent(), 20);
    wait_until_due(BEGIN + 2 * SLICE);
    ck_assert_int_eq(percent(), 30);
}
END_TEST

START_TEST(test_flood_and_end) {
    feed("10%\n20%\n");
    flood(pieces[_i]);
    feed("30%");
    shim_progress_finish(&p);
    ck_assert_int_eq(percent(), 30);
}
END_TEST

/* One of which the head was lost is none; one that goes on in the tail is. */
START_TEST(test_flood_within_a_line) {
    char data[3000];

    feed("10%\n20%\n");
    flood(1024);
    memset(data, 'y', sizeof(data));
    shim_progress_feed(&p, LOG_STREAM_STDOUT, data, sizeof(data));
    feed(" 30%\n");
    wait_until_due(BEGIN + SLICE);
    ck_assert_int_eq(percent(), 20);

    flood(1024);
    feed("3");
    feed("0%\n");
    wait_until_due(BEGIN + 2 * SLICE);
    ck_assert_int_eq(percent(), 30);
}
END_TEST

/* The streams share the time, and each has an end of its own. */
START_TEST(test_flood_of_one_stream) {
    feed_to(LOG_STREAM_STDERR, "10%\n20%\n");
    flood(1024);
    feed_to(LOG_STREAM_STDERR, "30%\n");
    flood(1024);
    wait_until_due(BEGIN + SLICE);
    ck_assert_int_eq(percent(), 30);
}
END_TEST

START_TEST(test_what_is_told) {
    static Fields fields;
    ProgressReading r;

    feed("no progress");
    shim_progress_add_fields(&p, &fields);
    ck_assert_uint_eq(fields.size, 0);
    progress_reading_init(&r, PROGRESS_SOURCE_NOTIFY);
    r.done = 1;
    r.total = 3;
    r.bytes = true;
    strcpy(r.phase, "second");
    shim_progress_notify(&p, &r);
    shim_progress_add_fields(&p, &fields);
    fields.data[fields.size] = '\0';
    ck_assert_str_eq(fields.data, "PROGRESS_SOURCE=notify\nX_LONGRUN_PHASE=second\n"
                                  "X_LONGRUN_PROGRESS=0.333333\nX_LONGRUN_DONE=1\n"
                                  "X_LONGRUN_TOTAL=3\nX_LONGRUN_UNIT=bytes\n");
    shim_progress_sent(&p);
    shim_progress_retell(&p);
    ck_assert(p.pending);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("shim-progress");
    TCase *t = tcase_create("shim-progress");

    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, test_nothing);
    tcase_add_test(t, test_lines);
    tcase_add_test(t, test_unfinished_line);
    tcase_add_test(t, test_line_in_pieces);
    tcase_add_loop_test(t, test_flood, 0, ELEMENTSOF(pieces));
    tcase_add_loop_test(t, test_flood_and_unfinished_line, 0, ELEMENTSOF(pieces));
    tcase_add_loop_test(t, test_flood_and_end, 0, ELEMENTSOF(pieces));
    tcase_add_test(t, test_flood_within_a_line);
    tcase_add_test(t, test_flood_of_one_stream);
    tcase_add_test(t, test_what_is_told);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
