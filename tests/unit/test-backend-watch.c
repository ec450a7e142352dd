/* Backends that are watched, over real sockets: who is online, and what is an answer. */

#include <errno.h>

#include "common/clock.h"
#include "tests/unit/unit.h"
#include "tests/unit/watch-rig.h"

/* ---- who is online ---- */

START_TEST(test_online) {
    uint64_t before = clock_usec(CLOCK_REALTIME);
    Backend *b;

    rig_answer("/status", 200, "", STATUS);
    rig_answer("/news", 200, "", "[1]");
    b = rig_add("b", "PollPath=/news");
    ck_assert_int_eq(b->state, BACKEND_UNKNOWN);
    ck_assert_uint_ge(b->next_check, before);
    rig_wait_for("b updated");
    ck_assert_str_eq(rig.told, "b state online\nb checked yes " STATUS "\nb updated /news [1]\n");
    ck_assert_uint_ge(b->last_update, before);
    ck_assert_uint_gt(b->latency_usec, 0);
    ck_assert_str_eq(b->last_error, "");
    ck_assert_str_eq(b->status, STATUS);
    ck_assert_uint_gt(b->next_check, before + USEC_PER_DAY);
    ck_assert_ptr_nonnull(strstr(rig_last_request("/status"), "Accept: application/json"));
    rig_remove(b);
}
END_TEST

START_TEST(test_periodic) {
    Backend *b;

    rig_answer("/status", 200, "", STATUS);
    b = rig_add("b", "StatusIntervalSec=100ms");
    rig_wait_for("b checked");
    for (unsigned i = 0; i < 5; i++) {
        rig_forget();
        rig_wait_for("b checked yes " STATUS);
    }
    ck_assert_uint_eq(rig_most_at_once("/status"), 1);
    rig_remove(b);
}
END_TEST

/* Each check answers what it found; the state follows when there are enough of them. */
START_TEST(test_thresholds) {
    static const struct {
        bool good;
        BackendState state;
    } checks[] = {
        {true, BACKEND_ONLINE},   {false, BACKEND_ONLINE},  {true, BACKEND_ONLINE},
        {false, BACKEND_ONLINE},  {false, BACKEND_OFFLINE}, {true, BACKEND_OFFLINE},
        {false, BACKEND_OFFLINE}, {true, BACKEND_OFFLINE},  {true, BACKEND_OFFLINE},
        {true, BACKEND_ONLINE},
    };
    Backend *b = rig_add("b", "FailureThreshold=2 SuccessThreshold=3");

    for (size_t i = 0; i < ELEMENTSOF(checks); i++) {
        BackendState before = b->state;
        rig_answer("/status", checks[i].good ? 200 : 503, "", STATUS);
        const char *answer = rig_check_now(b);
        ck_assert_str_eq(answer,
                         checks[i].good ? "check b yes" : "check b no BackendFailed: HTTP 503");
        ck_assert_uint_eq(
            rig_count(checks[i].good ? "b checked yes " STATUS "\n" : "b checked no\n"), 1);
        ck_assert_int_eq(b->state, checks[i].state);
        ck_assert_uint_eq(rig_count("b state"), before != b->state);
        ck_assert_str_eq(b->reason, b->state == BACKEND_OFFLINE ? "HTTP 503" : "");
    }
    rig_remove(b);
}
END_TEST

static bool is_polled_again(void *arg) {
    return rig_requests("/news") > *(unsigned *)arg;
}

/* Polls stop while nobody is there, and begin at once with the first good check. */
START_TEST(test_outage) {
    unsigned polls;
    Backend *b;

    rig_answer("/status", 200, "", STATUS);
    rig_answer("/news", 200, "", "[1]");
    b = rig_add("b", "PollPath=/news PollIntervalSec=100ms StatusIntervalSec=200ms");
    rig_wait_for("b updated");
    rig_close_server();
    rig_wait_for("b state offline: ");
    ck_assert_ptr_nonnull(strstr(b->reason, "efused"));
    ck_assert_uint_eq(rig_count("b checked no\n"), 1);
    ck_assert(*b->last_error);
    /* What was known stays. */
    ck_assert_str_eq(b->status, STATUS);
    ck_assert_uint_eq(rig_count("b state"), 2);
    /* It listens again, but is not well. */
    rig_answer("/status", 503, "", "{}");
    rig_open_server();
    rig_wait_for("b state offline: HTTP 503");
    polls = rig_requests("/news");
    rig_run(500 * USEC_PER_MSEC);
    ck_assert_uint_eq(rig_requests("/news"), polls);

    rig_forget();
    rig_answer("/status", 200, "", STATUS);
    rig_wait_for("b state online");
    rig_wait_until(is_polled_again, &polls);
    /* That it is back is no news of what is polled. */
    ck_assert_uint_eq(rig_count("b updated"), 0);
    ck_assert_str_eq(b->reason, "");
    rig_remove(b);
}
END_TEST

START_TEST(test_hang) {
    Backend *b;

    rig_hang("/status");
    b = rig_add("b", "TimeoutSec=100ms StatusIntervalSec=100ms");
    rig_wait_for("b state offline: ");
    rig_wait_for("b checked no");
    ck_assert_uint_eq(rig_count("b error"), 0);
    ck_assert_str_ne(rig_check_now(b), "check b yes");
    ck_assert_uint_eq(rig_count("check b no BackendOffline: "), 1);
    rig_answer("/status", 200, "", STATUS);
    rig_wait_for("b state online");
    rig_remove(b);
}
END_TEST

/* ---- what is an answer ---- */

static const struct {
    const char *settings;
    unsigned status;
    const char *body, *error; /* NULL: it is good */
} answers[] = {
    {"", 200, "{}", NULL},
    {"", 200, " [1, 2]\n", NULL},
    {"", 204, "", NULL},
    {"", 200, "", "the answer is empty"},
    {"", 200, "OK", "the answer is not JSON"},
    {"", 200, "<!DOCTYPE html><title>Login</title>", "the answer is not JSON"},
    {"", 200, "{\"a\":", "the answer is not JSON"},
    {"", 200, "{}{}", "the answer is not JSON"},
    {"", 200, "\"gr\xfc\xdf\"", "the answer is not JSON"},
    {"", 500, "{}", "HTTP 500"},
    {"", 500, "<h1>Oh</h1>", "HTTP 500"},
    {"", 404, "{\"error\": \"no such\\n\\u001b[31mthing\"}", "no such thing"},
    {"", 503, "{\"error\": {\"message\": \"later\"}}", "later"},
    {"", 503, "{\"detail\": \"busy\"}", "busy"},
    {"", 503, "{\"error\": 7}", "HTTP 503"},
    {"ExpectStatus=503", 503, "{}", NULL},
    {"ExpectStatus=503", 200, "{}", "HTTP 200"},
    {"Expect=/status_==_\"online\"", 200, STATUS, NULL},
    {"Expect=/status_==_\"on\" Expect=/x_==_1", 200, STATUS,
     "/status is \"online\", expected is \"on\""},
    {"Expect=/status_==_\"online\" Expect=/x_==_1", 200, STATUS,
     "there is no /x in the answer, expected is 1"},
    {"ExpectTimeSec=1us", 200, "{}", "the answer took "},
    {"ExpectTimeSec=1min", 200, "{}", NULL},
    {"ResponseMax=5", 200, "[1,2]", NULL},
    {"ResponseMax=5", 200, "[1,23]", ""}, /* the words of the transport */
};

START_TEST(test_answer) {
    char expected[1024];
    Backend *b;

    rig_answer("/x", answers[_i].status, "", answers[_i].body);
    snprintf(expected, sizeof(expected), "StatusPath=/x %s", answers[_i].settings);
    b = rig_add("b", expected);
    if (answers[_i].error)
        snprintf(expected, sizeof(expected), "check b no BackendFailed: %s", answers[_i].error);
    else
        strcpy(expected, "check b yes");
    const char *answer = rig_check_now(b);
    ck_assert_msg(strncmp(answer, expected, strlen(expected)) == 0, "%s: %s", answers[_i].body,
                  answer);
    ck_assert_int_eq(b->state, answers[_i].error ? BACKEND_OFFLINE : BACKEND_ONLINE);
    /* Who answers, but badly, is an error besides. */
    ck_assert_uint_eq(rig_count("b error Failed to load status: "), answers[_i].error != NULL);
    rig_remove(b);
}
END_TEST

/* A NUL, a wall of brackets: JSON to some, but to D-Bus or to a parser not. */
START_TEST(test_bytes) {
    char deep[2000];
    Backend *b;

    rig_answer_bytes("/status", "\"a\0b\"", 5);
    b = rig_add("b", "");
    ck_assert_str_eq(rig_check_now(b), "check b no BackendFailed: the answer is not JSON");
    memset(deep, '[', 1000);
    memset(deep + 1000, ']', 1000);
    rig_answer_bytes("/status", deep, sizeof(deep));
    ck_assert_str_eq(rig_check_now(b),
                     "check b no BackendFailed: the JSON of the answer is nested more than 100 "
                     "deep");
    rig_remove(b);
}
END_TEST

/* The status is told however large it is, but not kept; and no old one is shown in its place. */
START_TEST(test_large_status) {
    char *large = malloc(BACKEND_STATUS_MAX + 1);
    Backend *b;

    ck_assert_ptr_nonnull(large);
    memset(large, '7', BACKEND_STATUS_MAX);
    large[BACKEND_STATUS_MAX] = '\0';
    rig_answer("/status", 200, "", STATUS);
    b = rig_add("b", "");
    rig_wait_for("b checked yes");
    ck_assert_str_eq(b->status, STATUS);
    rig_answer("/status", 200, "", large);
    ck_assert_str_eq(rig_check_now(b), "check b yes");
    ck_assert_uint_eq(rig_count("b checked yes 777"), 1);
    ck_assert_ptr_null(b->status);
    large[BACKEND_STATUS_MAX - 1] = '\0';
    rig_answer("/status", 200, "", large);
    ck_assert_str_eq(rig_check_now(b), "check b yes");
    ck_assert_str_eq(b->status, large);
    free(large);
    rig_remove(b);
}
END_TEST

START_TEST(test_status_total) {
    size_t size = BACKEND_STATUS_MAX - 1, n = BACKEND_STATUS_TOTAL_MAX / BACKEND_STATUS_MAX + 1;
    char *large = malloc(size + 1), name[16];
    Backend *list[BACKEND_STATUS_TOTAL_MAX / BACKEND_STATUS_MAX + 1];
    size_t kept = 0;

    ck_assert_ptr_nonnull(large);
    memset(large, '7', size);
    large[size] = '\0';
    rig_answer("/status", 200, "", large);
    for (size_t i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "b%zu", i);
        list[i] = rig_add(name, "");
        rig_check_now(list[i]);
        kept += list[i]->status != NULL;
    }
    ck_assert_uint_eq(kept, n - 1);
    /* Room that is given back is there for the others. */
    rig_remove(list[0]);
    rig_check_now(list[n - 1]);
    ck_assert_ptr_nonnull(list[n - 1]->status);
    for (size_t i = 1; i < n; i++)
        rig_remove(list[i]);
    free(large);
}
END_TEST

/* ---- errors ---- */
/* Once for each text, and anew after a good answer of the same kind. */
START_TEST(test_told_once) {
    Backend *b = rig_add_online("PollPath=/news Polling=no");

    rig_answer("/news", 500, "", "{\"error\": \"broken\"}");
    ck_assert_str_eq(rig_poll_now(b), "poll b BackendFailed: Failed to poll: broken");
    ck_assert_uint_eq(rig_count("b error Failed to poll: broken\n"), 1);
    ck_assert_str_eq(b->last_error, "Failed to poll: broken");
    rig_poll_now(b);
    ck_assert_uint_eq(rig_count("b error"), 0);
    rig_answer("/news", 200, "", "nonsense");
    rig_poll_now(b);
    ck_assert_uint_eq(rig_count("b error Failed to poll: the answer is not JSON\n"), 1);
    rig_answer("/news", 500, "", "{\"error\": \"broken\"}");
    rig_poll_now(b);
    ck_assert_uint_eq(rig_count("b error"), 0);
    /* A good check says nothing about what is polled. */
    ck_assert_str_eq(rig_check_now(b), "check b yes");
    ck_assert_str_eq(b->last_error, "Failed to poll: broken");
    rig_poll_now(b);
    ck_assert_uint_eq(rig_count("b error"), 0);
    rig_answer("/news", 200, "", "[]");
    ck_assert_str_eq(rig_poll_now(b), "poll b");
    ck_assert_str_eq(b->last_error, "");
    rig_answer("/news", 500, "", "{\"error\": \"broken\"}");
    rig_poll_now(b);
    ck_assert_uint_eq(rig_count("b error Failed to poll: broken\n"), 1);
    rig_remove(b);
}
END_TEST

START_TEST(test_note) {
    Backend *b = rig_add_online("");
    HttpReply reply = {.latency_usec = 4711, .body = ""};
    Error error = {};

    error_set(&error, ERROR_BACKEND_FAILED, "Failed to add friend: no");
    backend_watch_note(b, NULL, &error);
    backend_watch_note(b, NULL, &error);
    ck_assert_uint_eq(rig_count("b error Failed to add friend: no\n"), 2);
    ck_assert_str_eq(b->last_error, error.message);
    backend_watch_note(b, &reply, NULL);
    ck_assert_str_eq(b->last_error, "");
    ck_assert_uint_eq(b->latency_usec, 4711);
    error_done(&error);
    rig_remove(b);
}
END_TEST

/* A poll that fails is a reason to look. */
START_TEST(test_check_forward) {
    Backend *b = rig_add_online("PollPath=/news");
    uint64_t soon = clock_usec(CLOCK_REALTIME) + 5 * USEC_PER_SEC;

    rig_answer("/status", 503, "", "{}");
    rig_answer("/news", 500, "", "{}");
    rig_poll_now(b);
    ck_assert_uint_lt(b->next_check, soon);
    rig_wait_for("b state offline: HTTP 503");
    rig_remove(b);
}
END_TEST

typedef struct Wanted {
    const char *path;
    unsigned requests;
} Wanted;

static bool has_requests(void *arg) {
    const Wanted *w = arg;
    return rig_requests(w->path) >= w->requests;
}

/* But one that goes on failing, while checks are good, is none to look again and again. */
START_TEST(test_check_forward_once) {
    Wanted wanted = {.path = "/news"};
    unsigned checks;
    Backend *b;

    rig_answer("/news", 200, "", "[]");
    b = rig_add_online("PollPath=/news PollIntervalSec=100ms StatusIntervalSec=100s "
                       "BackoffMaxSec=100ms");
    rig_wait_for("b updated /news");
    checks = rig_requests("/status");
    rig_answer("/news", 500, "", "{}");
    wanted.requests = rig_requests("/news") + 22;
    rig_wait_until(has_requests, &wanted);
    ck_assert_uint_eq(rig_requests("/status"), checks + 1);
    /* After a good one it counts anew. */
    rig_answer("/news", 200, "", "[1]");
    rig_wait_for("b updated /news [1]");
    rig_answer("/news", 500, "", "{}");
    wanted = (Wanted){"/status", checks + 2};
    rig_wait_until(has_requests, &wanted);
    rig_remove(b);
}
END_TEST

static void on_other(void *userdata, const HttpReply *reply) {
    *(HttpCall **)userdata = NULL;
}

/* What has no room here says nothing about the backend. */
START_TEST(test_no_room) {
    static HttpCall *others[HTTP_CALLS_MAX];
    HttpRequest request = {.method = "GET", .url = "http://127.0.0.1:1/"};
    Backend *b = rig_add_online("");
    size_t n = 0;

    while (n < HTTP_CALLS_MAX &&
           http_call_start(rig.loop, &request, on_other, &others[n], &others[n]) == 0)
        n++;
    ck_assert_str_eq(rig_check_now(b), "check b no BackendOffline: cannot ask: No buffer space "
                                       "available");
    ck_assert_uint_eq(rig_count("b checked"), 0);
    ck_assert_int_eq(b->state, BACKEND_ONLINE);
    ck_assert_uint_gt(b->next_check, 0);
    while (n > 0)
        http_call_free(others[--n]);
    ck_assert_str_eq(rig_check_now(b), "check b yes");
    rig_remove(b);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("backend-watch");
    TCase *t = tcase_create("watch");

    tcase_add_checked_fixture(t, rig_setup, rig_teardown);
    tcase_add_test(t, test_online);
    tcase_add_test(t, test_periodic);
    tcase_add_test(t, test_thresholds);
    tcase_add_test(t, test_outage);
    tcase_add_test(t, test_hang);
    tcase_add_loop_test(t, test_answer, 0, ELEMENTSOF(answers));
    tcase_add_test(t, test_bytes);
    tcase_add_test(t, test_large_status);
    tcase_add_test(t, test_status_total);
    tcase_add_test(t, test_told_once);
    tcase_add_test(t, test_note);
    tcase_add_test(t, test_check_forward);
    tcase_add_test(t, test_check_forward_once);
    suite_add_tcase(s, t);
    t = tcase_create("room");
    tcase_add_checked_fixture(t, rig_setup, rig_teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, test_no_room);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
