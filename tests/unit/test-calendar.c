/* Calendar expressions, with the real systemd-analyze, in several time zones; and with stand-ins
 * for it that misbehave. */

#include "daemon/calendar.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "common/clock.h"
#include "tests/unit/unit.h"

#define DEADLINE_USEC (20 * USEC_PER_SEC)
#define SKIP 77

static sd_event *event;
static Calendar *calendar;

typedef struct Answer {
    bool came;
    int r;
    uint64_t next;
    char why[1024];
} Answer;

static unsigned answers, most_running;

static void on_answer(void *userdata, int r, uint64_t next, const char *why) {
    Answer *a = userdata;

    ck_assert(!a->came);
    *a = (Answer){.came = true, .r = r, .next = next};
    snprintf(a->why, sizeof(a->why), "%s", strempty(why));
    ck_assert_int_eq(r < 0, why != NULL);
    answers++;
}

static void setup(void) {
    sigset_t mask;

    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    MUST(sigprocmask(SIG_BLOCK, &mask, NULL) == 0);
    MUST(sd_event_new(&event) >= 0);
    MUST(calendar_new(&calendar, event) >= 0);
    setenv("TZ", "UTC", 1);
}

static void teardown(void) {
    calendar = calendar_free(calendar);
    ck_assert_ptr_null(sd_event_unref(event));
    /* All that was started has ended and been reaped. */
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
}

static CalendarQuestion *ask(const char *expression, uint64_t after, Answer *a) {
    CalendarQuestion *q;

    *a = (Answer){};
    MUST(calendar_ask(&q, calendar, expression, after, on_answer, a) == 0);
    return q;
}

static void turn(void) {
    int r = sd_event_run(event, DEADLINE_USEC);

    ck_assert_msg(r > 0, "nothing happens: %d", r);
    most_running = MAX(most_running, calendar_running(calendar));
}

static void ask_and_wait(const char *expression, uint64_t after, Answer *a) {
    (void)ask(expression, after, a);
    ck_assert_msg(!a->came, "answered from within the question");
    while (!a->came)
        turn();
}

/* ---- systemd's own ---- */

static uint64_t utc(const char *text) {
    struct tm tm = {};
    const char *end = strptime(text, "%Y-%m-%d %H:%M:%S", &tm);

    ck_assert_ptr_nonnull(end);
    ck_assert_str_eq(end, "");
    return (uint64_t)timegm(&tm) * USEC_PER_SEC;
}

static const struct {
    const char *zone, *expression, *after, *next; /* in UTC; NULL = never */
} elapses[] = {
    {"UTC", "daily", "2026-11-21 15:00:00", "2026-11-22 00:00:00"},
    {"UTC", "*:*:*", "2026-11-21 15:00:00", "2026-11-21 15:00:01"},
    {"UTC", "*-*-* *:*:30", "2026-11-21 15:00:29", "2026-11-21 15:00:30"},
    {"UTC", "*-*-* *:*:30", "2026-11-21 15:00:30", "2026-11-21 15:01:30"},
    {"UTC", "Mon..Fri 09:00", "2026-11-20 09:00:00", "2026-11-23 09:00:00"},
    /* The zone in which the daemon lives, or the one that is named. */
    {"Europe/Berlin", "Mon..Fri 09:00", "2026-11-20 08:00:00", "2026-11-23 08:00:00"},
    {"America/New_York", "Mon..Fri 09:00", "2026-11-20 08:00:00", "2026-11-20 14:00:00"},
    {"America/New_York", "09:00 Europe/Berlin", "2026-11-20 08:00:00", "2026-11-21 08:00:00"},
    {"America/New_York", "09:00 UTC", "2026-11-20 09:00:00", "2026-11-21 09:00:00"},
    {"Asia/Kathmandu", "daily", "2026-11-21 15:00:00", "2026-11-21 18:15:00"},
    {"Pacific/Apia", "daily", "2026-11-21 15:00:00", "2026-11-22 11:00:00"},
    {"JST-9", "daily", "2026-11-21 14:59:59", "2026-11-21 15:00:00"},
    {"Europe/London", "daily", "2026-11-21 15:00:00", "2026-11-22 00:00:00"},
    {"Etc/GMT", "daily", "2026-11-21 15:00:00", "2026-11-22 00:00:00"},
    {"No/Where", "daily", "2026-11-21 15:00:00", "2026-11-22 00:00:00"},
    /* Spring: 02:30 is not there on March 29. */
    {"Europe/Berlin", "*-*-* 02:30", "2026-03-27 12:00:00", "2026-03-28 01:30:00"},
    {"Europe/Berlin", "*-*-* 02:30", "2026-03-28 01:30:00", "2026-03-30 00:30:00"},
    {"Europe/Berlin", "*-*-* 03:00", "2026-03-28 12:00:00", "2026-03-29 01:00:00"},
    {"Europe/Berlin", "*:0/30", "2026-03-29 00:30:00", "2026-03-29 01:00:00"},
    {"Europe/Berlin", "*-*-* 02:30 UTC", "2026-03-28 12:00:00", "2026-03-29 02:30:00"},
    /* Autumn: 02:30 is there twice on October 25, and counts once. */
    {"Europe/Berlin", "*-*-* 02:30", "2026-10-24 12:00:00", "2026-10-25 00:30:00"},
    {"Europe/Berlin", "*-*-* 02:30", "2026-10-25 00:30:00", "2026-10-26 01:30:00"},
    {"Europe/Berlin", "*-*-* 03:00", "2026-10-24 12:00:00", "2026-10-25 02:00:00"},
    {"America/New_York", "*-*-* 01:30", "2026-11-01 05:30:00", "2026-11-02 06:30:00"},
    /* Leap years. */
    {"UTC", "*-02-29", "2026-11-21 15:00:00", "2028-02-29 00:00:00"},
    {"UTC", "*-02-29", "2096-02-29 00:00:00", "2104-02-29 00:00:00"},
    {"Europe/Berlin", "*-02~01", "2028-01-01 00:00:00", "2028-02-28 23:00:00"},
    /* Parts of seconds are rounded up. */
    {"UTC", "*:*:0/0.5", "2026-11-21 15:00:00", "2026-11-21 15:00:01"},
    {"UTC", "*:*:*", "2026-11-21 15:00:00", "2026-11-21 15:00:01"},
    /* Never. */
    {"UTC", "2020-01-01", "2026-11-21 15:00:00", NULL},
    {"UTC", "2020-01-01", "2019-12-31 23:59:59", "2020-01-01 00:00:00"},
    {"UTC", "2020-01-01", "2020-01-01 00:00:00", NULL},
    {"UTC", "*-02-30", "2026-11-21 15:00:00", NULL},
    {"Europe/Berlin", "2026-03-29 02:30", "2026-03-28 12:00:00", NULL},
    /* No option of the program. */
    {"UTC", "hourly", "1999-12-31 23:59:59", "2000-01-01 00:00:00"},
};

START_TEST(elapse) {
    uint64_t after = utc(elapses[_i].after);
    Answer a;

    setenv("TZ", elapses[_i].zone, 1);
    ask_and_wait(elapses[_i].expression, after, &a);
    ck_assert_msg(a.r == 0, "%s", a.why);
    ck_assert_uint_eq(a.next, elapses[_i].next ? utc(elapses[_i].next) : USEC_INFINITY);
    /* Within a second it is the same. */
    ask_and_wait(elapses[_i].expression, after + USEC_PER_SEC - 1, &a);
    ck_assert_uint_eq(a.next, elapses[_i].next ? utc(elapses[_i].next) : USEC_INFINITY);
}
END_TEST

/* From any moment around a change of the clocks the next one is later, so that a series goes on. */
START_TEST(elapses_go_on) {
    static const char *const days[] = {"2026-03-29 00:00:00", "2026-10-25 00:00:00"};
    uint64_t begin = utc(days[_i]);

    setenv("TZ", "Europe/Berlin", 1);
    for (uint64_t t = begin; t < begin + 3 * USEC_PER_HOUR; t += 20 * USEC_PER_MINUTE) {
        Answer a;
        ask_and_wait("*:0/15", t, &a);
        ck_assert_int_eq(a.r, 0);
        ck_assert_uint_gt(a.next, t);
        ck_assert_uint_le(a.next, t + 2 * USEC_PER_HOUR);
    }
}
END_TEST

static const char *const wrong[] = {
    "gugu", "", "-1", "--help", "25:00", "Mon..Frei", "*-13-01", "2026-11-21 15:00:00 No/Where",
};

START_TEST(wrong_expression) {
    char quoted[128];
    Answer a;

    snprintf(quoted, sizeof(quoted), "'%s'", wrong[_i]);
    ask_and_wait(wrong[_i], utc("2026-11-21 15:00:00"), &a);
    ck_assert_int_eq(a.r, -EINVAL);
    ck_assert_msg(strstr(a.why, quoted), "systemd's own words are missing: %s", a.why);
    ck_assert_msg(strstr(a.why, "systemd.time(7)"), "%s", a.why);
    ck_assert_ptr_null(strchr(a.why, '\n'));
}
END_TEST

START_TEST(control_characters) {
    Answer a;

    ask_and_wait("daily\033[31m\n", utc("2026-11-21 15:00:00"), &a);
    ck_assert_int_eq(a.r, -EINVAL);
    ck_assert_ptr_null(strchr(a.why, '\033'));
}
END_TEST

/* What is in our environment for systemd's programs does not change what we read. */
START_TEST(environment) {
    Answer a;

    setenv("SYSTEMD_COLORS", "1", 1);
    setenv("SYSTEMD_LOG_TARGET", "null", 1);
    setenv("LC_ALL", "de_DE.UTF-8", 1);
    ask_and_wait("daily", utc("2026-11-21 15:00:00"), &a);
    ck_assert_uint_eq(a.next, utc("2026-11-22 00:00:00"));
    ask_and_wait("gugu", 0, &a);
    ck_assert_msg(strstr(a.why, "'gugu'"), "%s", a.why);
}
END_TEST

START_TEST(many_at_a_time) {
    Answer a[20];
    char expression[64];

    for (unsigned i = 0; i < ELEMENTSOF(a); i++) {
        snprintf(expression, sizeof(expression), "*:%u", i);
        (void)ask(expression, utc("2026-11-21 15:30:00"), &a[i]);
    }
    while (answers < ELEMENTSOF(a))
        turn();
    ck_assert_uint_eq(most_running, CALENDAR_PARALLEL);
    for (unsigned i = 0; i < ELEMENTSOF(a); i++)
        ck_assert_uint_eq(a[i].next, utc("2026-11-21 16:00:00") + i * USEC_PER_MINUTE);
}
END_TEST

static Answer other;

static void on_answer_ask_again(void *userdata, int r, uint64_t next, const char *why) {
    on_answer(userdata, r, next, why);
    (void)ask("daily", utc("2026-11-21 15:00:00"), &other);
}

/* The same question, from within its answer, is a new one. */
START_TEST(again_from_answer) {
    CalendarQuestion *q;
    Answer a = {};

    MUST(calendar_ask(&q, calendar, "daily", utc("2026-11-21 15:00:00"), on_answer_ask_again, &a) ==
         0);
    while (!other.came)
        turn();
    ck_assert_uint_eq(answers, 2);
    ck_assert_uint_eq(a.next, other.next);
}
END_TEST

/* ---- stand-ins ---- */

static void stand_in(const char *script) {
    char text[1024];

    snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", script);
    unit_write("systemd-analyze", text, strlen(text));
    MUST(chmod(unit_path("systemd-analyze"), 0700) == 0);
    setenv("PATH", unit_dir, 1);
}

START_TEST(missing) {
    Answer a;

    setenv("PATH", unit_dir, 1);
    ask_and_wait("daily", 0, &a);
    ck_assert_int_eq(a.r, -ENOENT);
    ck_assert_msg(strstr(a.why, "install the package systemd"), "%s", a.why);
}
END_TEST

static const struct {
    const char *script;
    int r;
} misbehaved[] = {
    {"echo nothing that we know", -EBADMSG},
    {"exit 0", -EBADMSG},
    {"exit 1", -EINVAL},
    {"kill -9 $$", -EIO},
    {"echo 'Next elapse: Sat 2001-11-21 15:00:00 UTC'", -EBADMSG}, /* before what was asked */
    {"echo 'Next elapse: Sat yesterday'", -EBADMSG},
    {"exec /bin/sleep 1000", -ETIMEDOUT},
    {"/bin/sleep 1000 & wait", -ETIMEDOUT},
    {"exec /usr/bin/yes", -ETIMEDOUT}, /* the pipe is full */
    {"exec /usr/bin/yes >&2", -ETIMEDOUT},
};

START_TEST(misbehaves) {
    Answer a;

    stand_in(misbehaved[_i].script);
    if (misbehaved[_i].r == -ETIMEDOUT)
        calendar_set_timeout(calendar, 200 * USEC_PER_MSEC);
    ask_and_wait("daily", utc("2026-11-21 15:00:00"), &a);
    ck_assert_int_eq(a.r, misbehaved[_i].r);
    ck_assert_str_ne(a.why, "");
    ck_assert_uint_eq(calendar_running(calendar), 0);
}
END_TEST

/* Whose runs are counted. */
#define COUNTED                                                                                    \
    "echo >>\"${0%/*}/runs\"\n"                                                                    \
    "echo 'Next elapse: Sun 2026-11-22 00:00:00 UTC'"

static size_t runs(void) {
    _cleanup_free_ char *text = NULL;
    size_t size;

    text = unit_read("runs", &size);
    return size;
}

START_TEST(same_questions_share) {
    uint64_t after = utc("2026-11-21 15:00:00");
    Answer a[6];

    stand_in(COUNTED);
    for (unsigned i = 0; i < 4; i++)
        (void)ask("daily", after + i, &a[i]);
    (void)ask("weekly", after, &a[4]);
    (void)ask("daily", after + USEC_PER_SEC, &a[5]);
    while (answers < ELEMENTSOF(a))
        turn();
    ck_assert_uint_eq(runs(), 3);
}
END_TEST

/* An answer holds up to the moment that it names, and is the same from any before. */
START_TEST(known) {
    uint64_t after = utc("2026-11-21 15:00:00"), midnight = utc("2026-11-22 00:00:00"), next = 0;
    Answer a;

    stand_in(COUNTED);
    ck_assert(!calendar_is_known(calendar, "daily", after, &next));
    ask_and_wait("daily", after, &a);
    ck_assert(calendar_is_known(calendar, "daily", after, &next));
    ck_assert_uint_eq(next, midnight);
    ask_and_wait("daily", midnight - 1, &a);
    ck_assert_uint_eq(a.next, midnight);
    ck_assert_uint_eq(runs(), 1);
    ck_assert(!calendar_is_known(calendar, "daily", after - 1, &next));
    ck_assert(!calendar_is_known(calendar, "daily", midnight, &next));
    ck_assert(!calendar_is_known(calendar, "Daily", after, &next));
    calendar_forget(calendar);
    ask_and_wait("daily", after, &a);
    ck_assert_uint_eq(runs(), 2);
}
END_TEST

/* What is answered when the zone is another one already, is not kept. */
START_TEST(forget_while_running) {
    uint64_t after = utc("2026-11-21 15:00:00"), next;
    Answer a, b;

    stand_in(COUNTED);
    (void)ask("daily", after, &a);
    while (calendar_running(calendar) == 0)
        turn();
    calendar_forget(calendar);
    (void)ask("daily", after, &b);
    while (!a.came)
        turn();
    ck_assert(b.came || !calendar_is_known(calendar, "daily", after, &next));
    while (!b.came)
        turn();
    ck_assert(calendar_is_known(calendar, "daily", after, &next));
    ck_assert_uint_eq(runs(), 2);
}
END_TEST

START_TEST(known_are_few) {
    uint64_t after = utc("2026-11-21 15:00:00"), next;
    char expression[16];
    Answer a;

    stand_in(COUNTED);
    for (unsigned i = 0; i < CALENDAR_KNOWN_MAX + 2; i++) {
        snprintf(expression, sizeof(expression), "*:%u", i);
        ask_and_wait(expression, after, &a);
    }
    ck_assert(!calendar_is_known(calendar, "*:1", after, &next));
    ck_assert(calendar_is_known(calendar, "*:2", after, &next));
}
END_TEST

/* One of those that share a run goes; the others are answered. */
START_TEST(free_one) {
    Answer a[3];
    CalendarQuestion *q;

    stand_in(COUNTED);
    (void)ask("daily", 0, &a[0]);
    q = ask("daily", 0, &a[1]);
    (void)ask("daily", 0, &a[2]);
    q = calendar_question_free(q);
    while (answers < 2)
        turn();
    ck_assert(a[0].came && !a[1].came && a[2].came);
}
END_TEST

/* Those that wait for a run to end get theirs when nobody wants it any more. */
START_TEST(free_running) {
    CalendarQuestion *q[CALENDAR_PARALLEL];
    char expression[16];
    Answer a, b;

    stand_in("[ \"$4\" = daily ] || exec /bin/sleep 1000\n" COUNTED);
    for (unsigned i = 0; i < ELEMENTSOF(q); i++) {
        snprintf(expression, sizeof(expression), "*:%u", i);
        q[i] = ask(expression, 0, &a);
    }
    (void)ask("daily", 0, &b);
    while (calendar_running(calendar) < CALENDAR_PARALLEL)
        turn();
    q[1] = calendar_question_free(q[1]);
    while (!b.came)
        turn();
    ck_assert(!a.came);
    ck_assert_int_eq(b.r, 0);
}
END_TEST

/* The end of the daemon, with runs under way and waiting: see teardown(). */
START_TEST(free_all) {
    char expression[16];
    Answer a;

    stand_in("exec /bin/sleep 1000");
    for (unsigned i = 0; i < 2 * CALENDAR_PARALLEL; i++) {
        snprintf(expression, sizeof(expression), "*:%u", i);
        (void)ask(expression, 0, &a);
    }
    while (calendar_running(calendar) < CALENDAR_PARALLEL)
        turn();
}
END_TEST

/* ---- what it prints ---- */

static const struct {
    const char *text;
    uint64_t sec; /* 0 = not understood, UINT64_MAX = never */
} outputs[] = {
    {"  Original form: daily\nNormalized form: *-*-* 00:00:00\n"
     "    Next elapse: Sun 2026-11-22 00:00:00 UTC\n       From now: 8h left\n",
     1795305600},
    {"Normalized form: *-*-* 00:00:00\n    Next elapse: Sun 2026-11-22 00:00:00 CET\n"
     "       (in UTC): Sat 2026-11-21 23:00:00 UTC\n       From now: 8h left\n",
     1795302000},
    /* The second line is that of the first elapse alone. */
    {"    Next elapse: Sun 2026-11-22 00:00:00 UTC\n       From now: 8h left\n"
     "       Iter. #2: Mon 2026-11-23 00:00:00 CET\n       (in UTC): Sun 2026-11-22 23:00:00 UTC\n",
     1795305600},
    {"Next elapse: Sun 2026-11-22 00:00:00\n", 1795305600},
    {"Next elapse: Sun 2026-11-22 00:00:00.500000 UTC", 1795305600},
    {"Next elapse: never\n", UINT64_MAX},
    {"", 0},
    {"Next elapse:", 0},
    {"Next elapse: Sun 2026-11-22", 0},
    {"Next elapse: Sun 2026-11-22 00:00", 0},
    {"Next elapse: Sun 1926-11-22 00:00:00 UTC", 0},
    {"Original form: Next elapse: never", 0},
    {"Next elapse: Sun 2026-11-22 00:00:00 CET\n(in UTC): gugu\n", 0},
};

START_TEST(parse_output) {
    uint64_t next = 42;
    int r = calendar_parse(outputs[_i].text, &next);

    ck_assert_int_eq(r, outputs[_i].sec == 0 ? -EBADMSG : 0);
    if (outputs[_i].sec == 0)
        ck_assert_uint_eq(next, 42);
    else
        ck_assert_uint_eq(next, outputs[_i].sec == UINT64_MAX ? USEC_INFINITY
                                                              : outputs[_i].sec * USEC_PER_SEC);
}
END_TEST

static Suite *suite(bool has_systemd) {
    Suite *s = suite_create("calendar");
    TCase *real = tcase_create("systemd"), *fake = tcase_create("stand-ins"),
          *text = tcase_create("text");

    tcase_add_checked_fixture(real, setup, teardown);
    tcase_add_loop_test(real, elapse, 0, ELEMENTSOF(elapses));
    tcase_add_loop_test(real, elapses_go_on, 0, 2);
    tcase_add_loop_test(real, wrong_expression, 0, ELEMENTSOF(wrong));
    tcase_add_test(real, control_characters);
    tcase_add_test(real, environment);
    tcase_add_test(real, many_at_a_time);
    tcase_add_test(real, again_from_answer);
    unit_use_dir(fake);
    tcase_add_checked_fixture(fake, setup, teardown);
    tcase_add_test(fake, missing);
    tcase_add_loop_test(fake, misbehaves, 0, ELEMENTSOF(misbehaved));
    tcase_add_test(fake, same_questions_share);
    tcase_add_test(fake, known);
    tcase_add_test(fake, forget_while_running);
    tcase_add_test(fake, known_are_few);
    tcase_add_test(fake, free_one);
    tcase_add_test(fake, free_running);
    tcase_add_test(fake, free_all);
    tcase_add_loop_test(text, parse_output, 0, ELEMENTSOF(outputs));
    if (has_systemd)
        suite_add_tcase(s, real);
    suite_add_tcase(s, fake);
    suite_add_tcase(s, text);
    return s;
}

int main(void) {
    bool has_systemd = system("systemd-analyze --version >/dev/null 2>&1") == 0;
    int r = unit_run(suite(has_systemd));

    if (r == EXIT_SUCCESS && !has_systemd) {
        puts("SKIP: systemd-analyze is not installed (package systemd)");
        return SKIP;
    }
    return r;
}
