/* What rows say. */

#include "client-gtk/tasks/row-words.h"
#include "tests/unit/unit.h"

#define SEC ((guint64)G_USEC_PER_SEC)
#define NOW (2000000000 * SEC)

static const struct {
    TaskFacts facts;
    const char *reason, *status, *phase, *message; /* NULL: "" */
    const char *detail, *time;
} cases[] = {
    {{.state = _TASK_STATE_INVALID}, .detail = "", .time = ""},
    {{.state = TASK_QUEUED}, .reason = "no slot", .detail = "no slot", .time = ""},
    {{.state = TASK_WAITING}, .status = "again", .reason = "until 8", .detail = "until 8"},
    {{.state = TASK_RUNNING, .started_at = NOW - 5 * SEC}, .detail = "", .time = "5s"},
    {{.state = TASK_RUNNING, .started_at = NOW - 125 * SEC}, .time = "2min 5s"},
    {{.state = TASK_RUNNING, .started_at = NOW + SEC}, .time = "0s"},
    {{.state = TASK_RUNNING}, .status = "Step 3", .phase = "build", .detail = "Step 3"},
    {{.state = TASK_RUNNING}, .phase = "build", .reason = "why", .detail = "build"},
    {{.state = TASK_RUNNING, .started_at = NOW, .expected_end = NOW + 61 * SEC},
     .time = "1min 1s left"},
    {{.state = TASK_RUNNING, .started_at = NOW - SEC, .expected_end = NOW - 1}, .time = "1s"},
    /* Nobody knows when one that is paused goes on. */
    {{.state = TASK_PAUSED, .started_at = NOW - SEC, .expected_end = NOW + 9 * SEC}, .time = "1s"},
    {{.state = TASK_SUCCEEDED, .started_at = NOW - 90 * SEC, .finished_at = NOW},
     .status = "Step 3",
     .detail = "Step 3",
     .time = "1min 30s"},
    {{.state = TASK_FAILED}, .status = "Step 3", .message = "it broke", .detail = "it broke"},
    {{.state = TASK_CANCELLED, .finished_at = NOW},
     .detail = "Ended Wed May 18 03:33:20 2033",
     .time = ""},
    {{.state = TASK_RUNNING, .plan = TASK_PLAN_CANCEL},
     .status = "Step 3",
     .detail = "Will be cancelled"},
    {{.state = TASK_FAILED, .plan = TASK_PLAN_REMOVE},
     .message = "it broke",
     .detail = "Will be removed"},
};

static char *or_empty(const char *text) {
    return (char *)(text ?: "");
}

START_TEST(says) {
    TaskFacts f = cases[_i].facts;

    f.reason = or_empty(cases[_i].reason);
    f.status = or_empty(cases[_i].status);
    f.phase = or_empty(cases[_i].phase);
    f.message = or_empty(cases[_i].message);
    g_autofree char *detail = row_words_detail(&f), *time = row_words_time(&f, NOW);
    if (cases[_i].detail)
        ck_assert_str_eq(detail, cases[_i].detail);
    if (cases[_i].time)
        ck_assert_str_eq(time, cases[_i].time);
}
END_TEST

START_TEST(has_a_title) {
    TaskFacts f = {.id = G_MAXUINT64, .label = (char *)""};
    g_autofree char *number = row_words_title(&f);

    f.label = (char *)"<b>%s</b>";
    g_autofree char *label = row_words_title(&f);
    ck_assert_str_eq(number, "Task 18446744073709551615");
    ck_assert_str_eq(label, "<b>%s</b>");
}
END_TEST

START_TEST(says_when_it_is_due) {
    guint64 now = (guint64)g_get_real_time();
    TaskFacts f = {.state = TASK_WAITING, .due_at = now};
    g_autofree char *today = row_words_time(&f, now);

    f.due_at = now + 40 * G_TIME_SPAN_DAY;
    g_autofree char *later = row_words_time(&f, now);
    ck_assert(strchr(today, ':'));
    ck_assert_uint_gt(strlen(later), strlen(today));
    f.due_at = G_MAXUINT64;
    g_autofree char *never = row_words_time(&f, now);
    ck_assert_str_eq(never, "");
}
END_TEST

int main(void) {
    g_setenv("TZ", "UTC", TRUE);
    Suite *s = suite_create("row-words");
    TCase *t = tcase_create("words");

    tcase_add_loop_test(t, says, 0, G_N_ELEMENTS(cases));
    tcase_add_test(t, has_a_title);
    tcase_add_test(t, says_when_it_is_due);
    suite_add_tcase(s, t);
    return unit_run(s);
}
