/* Backends that are watched, over real sockets: who is online, what is polled, and those who ask.
 */

#include <errno.h>

#include "common/clock.h"
#include "common/text.h"
#include "daemon/http/messenger.h"
#include "tests/unit/unit.h"
#include "tests/unit/watch-rig.h"

#define STATUS "{\"status\":\"online\"}"

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

static Backend *add_online(const char *settings) {
    Backend *b;

    rig_answer("/status", 200, "", STATUS);
    b = rig_add("b", settings);
    if (b->polling)
        rig_wait_for("b checked yes");
    else
        ck_assert_str_eq(rig_check_now(b), "check b yes");
    rig_forget();
    return b;
}

/* Once for each text, and anew after a good answer of the same kind. */
START_TEST(test_told_once) {
    Backend *b = add_online("PollPath=/news Polling=no");

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
    Backend *b = add_online("");
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
    Backend *b = add_online("PollPath=/news");
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
    b = add_online("PollPath=/news PollIntervalSec=100ms StatusIntervalSec=100s "
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
    Backend *b = add_online("");
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

/* ---- polls ---- */

START_TEST(test_digest) {
    Backend *b;

    rig_answer("/news", 200, "", "[1]");
    b = add_online("PollPath=/news Polling=no");
    rig_poll_now(b);
    ck_assert_uint_eq(rig_count("b updated /news [1]\n"), 1);
    rig_poll_now(b);
    ck_assert_uint_eq(rig_count("b updated"), 0);
    rig_answer("/news", 200, "", "[2]");
    rig_poll_now(b);
    ck_assert_uint_eq(rig_count("b updated /news [2]\n"), 1);
    /* What cannot be read is no news, and what was before is not told as new. */
    rig_answer("/news", 200, "", "[");
    rig_poll_now(b);
    rig_answer("/news", 200, "", "[2]");
    ck_assert_str_eq(rig_poll_now(b), "poll b");
    ck_assert_uint_eq(rig_count("b updated"), 0);
    rig_remove(b);
}
END_TEST

static const struct {
    const char *validator, *condition;
} validators[] = {
    {"ETag: \"one\"\r\n", "\r\nIf-None-Match: \"one\"\r\n"},
    {"ETag: W/\"two\"\r\n", "\r\nIf-None-Match: W/\"two\"\r\n"},
    {"Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n",
     "\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"},
};

START_TEST(test_validators) {
    Backend *b;

    rig_answer("/news", 200, validators[_i].validator, "[1]");
    b = add_online("PollPath=/news Polling=no");
    rig_poll_now(b);
    ck_assert_ptr_null(strstr(rig_last_request("/news"), "If-"));
    ck_assert_uint_eq(rig_count("b updated"), 1);
    rig_answer("/news", 304, validators[_i].validator, "");
    ck_assert_str_eq(rig_poll_now(b), "poll b");
    ck_assert_ptr_nonnull(strstr(rig_last_request("/news"), validators[_i].condition));
    ck_assert_uint_eq(rig_count("b updated"), 0);
    ck_assert_str_eq(rig_poll_now(b), "poll b");
    ck_assert_ptr_nonnull(strstr(rig_last_request("/news"), validators[_i].condition));
    rig_answer("/news", 200, "ETag: \"other\"\r\n", "[2]");
    rig_poll_now(b);
    ck_assert_uint_eq(rig_count("b updated /news [2]\n"), 1);
    rig_answer("/news", 200, "", "[3]");
    rig_poll_now(b);
    ck_assert_ptr_nonnull(strstr(rig_last_request("/news"), "If-None-Match: \"other\""));
    rig_poll_now(b);
    ck_assert_ptr_null(strstr(rig_last_request("/news"), "If-"));
    rig_remove(b);
}
END_TEST

static void on_loaded(void *arg, const char *peer, const MessageList *l, const Error *error) {
    rig_say("loaded %s %s", peer, l ? "yes" : "no");
}

/* The same again, with another validator: that one is asked with from now on. */
START_TEST(test_new_validator) {
    Backend *b;

    rig_answer("/news", 200, "ETag: \"one\"\r\n", "[1]");
    b = add_online("PollPath=/news Polling=no");
    rig_poll_now(b);
    rig_answer("/news", 200, "ETag: \"two\"\r\n", "[1]");
    rig_poll_now(b);
    ck_assert_uint_eq(rig_count("b updated"), 0);
    rig_poll_now(b);
    ck_assert_ptr_nonnull(strstr(rig_last_request("/news"), "If-None-Match: \"two\""));
    rig_remove(b);
}
END_TEST

#define MESSAGES "[{\"id\": 1, \"direction\": \"sent\", \"content\": \"hi\"}]"

/* What a load has told meanwhile, or has not, counts for more than what the last poll has seen. */
START_TEST(test_poll_after_load) {
    Backend *b;

    rig_answer("/api/messages", 200, "ETag: \"one\"\r\n", MESSAGES);
    b = add_online("Type=messenger Polling=no");
    ck_assert_int_eq(messenger_set_current_peer(b, "anna", NULL), 0);
    rig_poll_now(b);
    ck_assert_uint_eq(rig_count("b messages anna 1\n"), 1);
    rig_answer("/api/messages", 200, "ETag: \"two\"\r\n", "[]");
    rig_forget();
    ck_assert_int_eq(messenger_load_messages(b, "anna", 0, on_loaded, NULL, NULL), 0);
    rig_wait_for("b messages anna 0");
    rig_answer("/api/messages", 200, "ETag: \"one\"\r\n", MESSAGES);
    rig_poll_now(b);
    ck_assert_ptr_null(strstr(rig_last_request("/api/messages"), "If-None-Match"));
    ck_assert_uint_eq(rig_count("b messages anna 1\n"), 1);
    ck_assert_uint_eq(rig_count("b updated"), 0);
    rig_answer("/api/messages", 304, "ETag: \"one\"\r\n", "");
    ck_assert_str_eq(rig_poll_now(b), "poll b");
    ck_assert_ptr_nonnull(strstr(rig_last_request("/api/messages"), "If-None-Match"));
    rig_remove(b);
}
END_TEST

/* One that had failed, too. */
START_TEST(test_poll_after_failed_load) {
    Backend *b;

    rig_answer("/api/messages", 200, "ETag: \"one\"\r\n", MESSAGES);
    b = add_online("Type=messenger Polling=no");
    ck_assert_int_eq(messenger_set_current_peer(b, "anna", NULL), 0);
    rig_poll_now(b);
    rig_answer("/api/messages", 500, "", "{}");
    ck_assert_int_eq(messenger_load_messages(b, "bert", 0, on_loaded, NULL, NULL), 0);
    ck_assert_int_eq(messenger_load_messages(b, "anna", 0, on_loaded, NULL, NULL), 0);
    rig_wait_for("loaded anna no");
    rig_answer("/api/messages", 200, "ETag: \"one\"\r\n", MESSAGES);
    rig_forget();
    rig_poll_now(b);
    ck_assert_uint_eq(rig_count("b messages anna 1\n"), 1);
    rig_remove(b);
}
END_TEST

START_TEST(test_304_for_nothing) {
    Backend *b;

    rig_answer("/news", 304, "", "");
    b = add_online("PollPath=/news Polling=no");
    ck_assert_str_eq(rig_poll_now(b), "poll b BackendFailed: Failed to poll: HTTP 304");
    rig_remove(b);
}
END_TEST

/* A validator as no header could be is not sent back. */
START_TEST(test_long_validator) {
    char header[1000];
    Backend *b;

    memset(header, 'x', sizeof(header));
    memcpy(header, "ETag: \"", strlen("ETag: \""));
    strcpy(header + 900, "\"\r\n");
    rig_answer("/news", 200, header, "[1]");
    b = add_online("PollPath=/news Polling=no");
    rig_poll_now(b);
    ck_assert_str_eq(rig_poll_now(b), "poll b");
    ck_assert_ptr_null(strstr(rig_last_request("/news"), "If-"));
    rig_remove(b);
}
END_TEST

/* Whoever asks joins the one under way: a slow backend is never asked twice. */
START_TEST(test_never_two) {
    Backend *b;

    rig_answer("/status", 200, "", STATUS);
    rig_delay("/status", 300 * USEC_PER_MSEC);
    rig_answer("/news", 200, "", "[1]");
    rig_delay("/news", 300 * USEC_PER_MSEC);
    b = rig_add("b", "PollPath=/news PollIntervalSec=100ms StatusIntervalSec=100ms");
    ck_assert_int_eq(rig_check(b), 0);
    ck_assert_int_eq(rig_check(b), 0);
    rig_wait_for("b updated");
    ck_assert_uint_eq(rig_count("check b yes\n"), 2);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(rig_check(b), 0);
        ck_assert_int_eq(rig_poll(b), 0);
        rig_run(250 * USEC_PER_MSEC);
    }
    rig_wait_for("poll b\n");
    ck_assert_uint_eq(rig_most_at_once("/status"), 1);
    ck_assert_uint_eq(rig_most_at_once("/news"), 1);
    rig_remove(b);
}
END_TEST

START_TEST(test_polling) {
    unsigned polls, checks;
    Backend *b;

    rig_answer("/news", 200, "", "[1]");
    b = add_online("PollPath=/news PollIntervalSec=100ms StatusIntervalSec=100ms Polling=no");
    rig_run(300 * USEC_PER_MSEC);
    ck_assert_uint_eq(rig_requests("/news"), 0);
    backend_watch_set_polling(b, true);
    ck_assert(b->polling);
    rig_wait_for("b updated");
    backend_watch_set_polling(b, false);
    ck_assert_int_eq(b->state, BACKEND_UNKNOWN);
    ck_assert_str_eq(b->reason, "it is not polled: longrun backend start b");
    polls = rig_requests("/news");
    checks = rig_requests("/status");
    rig_run(300 * USEC_PER_MSEC);
    ck_assert_uint_eq(rig_requests("/news"), polls);
    ck_assert_uint_eq(rig_requests("/status"), checks);
    ck_assert_uint_eq(b->next_check, 0);
    /* What somebody asks for is done. */
    ck_assert_str_eq(rig_poll_now(b), "poll b");
    ck_assert_int_eq(b->state, BACKEND_UNKNOWN);
    ck_assert_str_eq(rig_check_now(b), "check b yes");
    ck_assert_int_eq(b->state, BACKEND_ONLINE);
    checks = rig_requests("/status");
    rig_run(300 * USEC_PER_MSEC);
    ck_assert_uint_eq(rig_requests("/status"), checks);
    backend_watch_set_polling(b, true);
    rig_wait_for("b checked yes");
    rig_remove(b);
}
END_TEST

/* What fails again and again is asked for less and less, and as before once it works. */
START_TEST(test_failing_polls) {
    unsigned polls;
    Backend *b;

    rig_answer("/news", 404, "", "{}");
    b = add_online("PollPath=/news PollIntervalSec=100ms BackoffMaxSec=1s");
    rig_run(2 * USEC_PER_SEC);
    ck_assert_uint_ge(rig_requests("/news"), 3);
    ck_assert_uint_le(rig_requests("/news"), 14); /* of 20 */
    rig_answer("/news", 200, "", "[1]");
    rig_wait_for("b updated");
    polls = rig_requests("/news");
    rig_run(500 * USEC_PER_MSEC);
    ck_assert_uint_ge(rig_requests("/news"), polls + 3);
    rig_remove(b);
}
END_TEST

/* ---- Retry-After ---- */

static const struct {
    const char *header;
    uint64_t least, most; /* seconds */
} pauses[] = {
    {"Retry-After: 40\r\n", 38, 50},
    {"Retry-After: 3600\r\n", 58, 70}, /* backoff-max */
    {"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:50:17 GMT\r\n", 38,
     50},
    {"Retry-After: never\r\n", 0, 20},
};

START_TEST(test_retry_after) {
    uint64_t now = clock_usec(CLOCK_REALTIME);
    Backend *b;

    rig_answer("/status", 503, pauses[_i].header, "{}");
    b = rig_add("b", "StatusIntervalSec=10s BackoffMaxSec=60s");
    rig_wait_for("b state offline");
    ck_assert_uint_ge(b->next_check, now + pauses[_i].least * USEC_PER_SEC);
    ck_assert_uint_le(b->next_check, now + pauses[_i].most * USEC_PER_SEC);
    /* Who asks need not wait for that. */
    rig_answer("/status", 200, "", STATUS);
    ck_assert_str_eq(rig_check_now(b), "check b yes");
    ck_assert_uint_le(b->next_check, clock_usec(CLOCK_REALTIME) + 16 * USEC_PER_SEC);
    rig_remove(b);
}
END_TEST

START_TEST(test_retry_after_poll) {
    Backend *b;

    rig_answer("/news", 429, "Retry-After: 30\r\n", "{}");
    b = add_online("PollPath=/news PollIntervalSec=100ms StatusIntervalSec=100ms");
    rig_wait_for("b error Failed to poll: HTTP 429");
    rig_run(500 * USEC_PER_MSEC);
    ck_assert_uint_eq(rig_requests("/news"), 1);
    ck_assert_int_eq(b->state, BACKEND_ONLINE);
    rig_remove(b);
}
END_TEST

/* ---- those who ask ---- */

START_TEST(test_plan_stays) {
    Backend *b = add_online("StatusIntervalSec=1h");
    uint64_t planned = b->next_check;

    ck_assert_str_eq(rig_check_now(b), "check b yes");
    ck_assert_uint_eq(b->next_check, planned);
    rig_remove(b);
}
END_TEST

START_TEST(test_caps) {
    Backend *b;
    Error error = {};

    rig_hang("/status");
    rig_hang("/news");
    b = rig_add("b", "PollPath=/news");
    for (unsigned i = 0; i < BACKEND_ASKED_MAX; i++) {
        ck_assert_int_eq(rig_check(b), 0);
        ck_assert_int_eq(rig_poll(b), 0);
        ck_assert_int_eq(rig_request(b, "GET", "/status", "", &error), 0);
    }
    ck_assert_int_eq(rig_check(b), -ENOBUFS);
    ck_assert_int_eq(rig_poll(b), -ENOBUFS);
    ck_assert_int_eq(rig_request(b, "GET", "/status", "", &error), -ENOBUFS);
    ck_assert_uint_eq(rig_count(""), 0);
    /* All of them are told when it goes. */
    rig_remove(b);
    ck_assert_uint_eq(rig_count("check b no NoSuchBackend: the backend b has been removed"), 100);
    ck_assert_uint_eq(rig_count("poll b NoSuchBackend: "), 100);
    ck_assert_uint_eq(rig_count("request b 0  NoSuchBackend: "), 100);
    ck_assert_int_eq((int)http_loop_calls(rig.loop), 0);
}
END_TEST

START_TEST(test_nothing_to_poll) {
    Backend *b = add_online("");

    ck_assert_int_eq(rig_poll(b), -ENODATA);
    rig_remove(b);
}
END_TEST

START_TEST(test_request) {
    Backend *b = add_online("");
    Error error = {};

    rig_answer("/api/x", 404, "", "{\"error\": \"none\"}");
    ck_assert_int_eq(rig_request(b, "POST", "/api/x?y=1", "{\"a\":1}", &error), 0);
    rig_wait_for("request b 404 {\"error\": \"none\"}\n");
    ck_assert_ptr_nonnull(strstr(rig_last_request("/api/x"), "POST /api/x?y=1 HTTP/1.1\r\n"));
    ck_assert_ptr_nonnull(strstr(rig_last_request("/api/x"), "\r\n\r\n{\"a\":1}"));
    rig_answer("/text", 200, "", "just text");
    ck_assert_int_eq(rig_request(b, "GET", "/text", "", &error), 0);
    rig_wait_for("request b 200 just text\n");
    rig_answer("/latin1", 200, "", "gr\xfc\xdf");
    ck_assert_int_eq(rig_request(b, "GET", "/latin1", "", &error), 0);
    rig_wait_for("request b 200  BackendFailed: HTTP 200, and the answer is no text of UTF-8\n");

    ck_assert_int_eq(rig_request(b, "GET", "/x", "{", &error), -EREMOTE);
    ck_assert_str_eq(error.message, "the body is not JSON");
    error_done(&error);
    ck_assert_int_eq(rig_request(b, "G T", "/x", "", &error), -EREMOTE);
    ck_assert_int_eq(error.code, ERROR_INVALID_OPTION);
    error_done(&error);
    ck_assert_int_eq(rig_request(b, "GET", "http://192.0.2.1/x", "", &error), -EREMOTE);
    ck_assert_int_eq(error.code, ERROR_INVALID_OPTION);
    error_done(&error);
    /* What a client asks says nothing about the backend. */
    ck_assert_str_eq(b->last_error, "");
    ck_assert_uint_eq(rig_count("b error"), 0);
    rig_remove(b);
}
END_TEST

START_TEST(test_request_failed) {
    Backend *b = add_online("");
    Error error = {};

    rig_close_server();
    ck_assert_int_eq(rig_request(b, "GET", "/x", "", &error), 0);
    rig_wait_for("request b 0  BackendOffline: ");
    rig_remove(b);
}
END_TEST

/* ---- other settings ---- */

START_TEST(test_change) {
    Backend *b = add_online("PollPath=/news PollIntervalSec=1h");

    rig_answer("/news", 200, "", "[1]");
    rig_answer("/other", 200, "", "[2]");
    rig_poll_now(b);
    backend_settings_free(b->settings);
    b->settings = rig_settings("PollPath=/other StatusPath=/health PollIntervalSec=1h");
    rig_hang("/health");
    rig_forget();
    ck_assert_int_eq(rig_check(b), 0); /* by the old ones */
    ck_assert_int_eq(backend_watch_change(b), 0);
    /* Until the next answer all is as it was. */
    ck_assert_int_eq(b->state, BACKEND_ONLINE);
    ck_assert_str_eq(b->status, STATUS);
    ck_assert_int_eq(rig_poll(b), 0);
    rig_wait_for("b updated /other [2]\n");
    ck_assert_uint_eq(rig_count("check b"), 0);
    ck_assert_uint_eq(rig_count("b state"), 0);
    /* Who has asked before gets the answer of the new ones. */
    rig_answer("/health", 500, "", "{}");
    rig_close_server();
    rig_wait_for("check b no");
    rig_remove(b);
}
END_TEST

/* A credential that cannot be read is told from the loop, as anything else. */
START_TEST(test_unreadable) {
    Backend *b = rig_add("b", "Auth=bearer Credential=/nonexistent/token PollPath=/news");

    ck_assert_int_eq(rig_check(b), 0);
    ck_assert_int_eq(rig_poll(b), 0);
    ck_assert_uint_eq(rig_count(""), 0);
    rig_wait_for("poll b BackendFailed: ");
    rig_wait_for("check b no BackendFailed: ");
    ck_assert_ptr_nonnull(strstr(b->reason, "/nonexistent/token"));
    ck_assert_uint_eq(rig_all_requests(), 0);
    rig_remove(b);
}
END_TEST

/* ---- many ---- */

#define MANY 100

static void add_many(Backend *list[MANY], const char *settings) {
    for (unsigned i = 0; i < MANY; i++) {
        char name[16];
        snprintf(name, sizeof(name), "m%u", i);
        list[i] = rig_add(name, settings);
    }
}

static void remove_many(Backend *list[MANY]) {
    for (unsigned i = 0; i < MANY; i++)
        rig_remove(list[i]);
}

static bool are_all_asked(void *path) {
    return rig_requests(path) >= MANY;
}

static bool are_more_asked(void *n) {
    return rig_requests("/status") > *(unsigned *)n;
}

/* A hundred that never answer make nobody wait. */
START_TEST(test_hung_ones) {
    Backend *list[MANY], *b;

    rig_hang("/hang");
    add_many(list, "StatusPath=/hang TimeoutSec=10s StatusIntervalSec=100ms");
    rig_wait_until(are_all_asked, (char *)"/hang");
    b = add_online("");
    for (unsigned i = 0; i < 10; i++) {
        uint64_t begun = clock_usec(CLOCK_MONOTONIC);
        ck_assert_str_eq(rig_check_now(b), "check b yes");
        ck_assert_uint_lt(clock_usec(CLOCK_MONOTONIC) - begun, 3 * USEC_PER_SEC);
    }
    ck_assert_uint_eq(rig_requests("/hang"), MANY);
    rig_remove(b);
    remove_many(list);
}
END_TEST

/* Requests since then, and at most so many may it be: a share at once, and then as many as there
 * are intervals of a second. A machine that is busy takes longer, and has more of them. */
static void assert_no_storm(unsigned before, uint64_t begun, unsigned at_once) {
    uint64_t passed = clock_usec(CLOCK_MONOTONIC) - begun;
    unsigned n = rig_requests("/status") - before;

    ck_assert_uint_le(n, at_once + 2 * MANY * passed / USEC_PER_SEC);
}

/* After the process stood still, nothing is made up for, and not all comes at once. */
START_TEST(test_standstill) {
    struct timespec still = {.tv_sec = 1, .tv_nsec = 500000000};
    Backend *list[MANY];
    unsigned before;
    uint64_t begun;

    rig_answer("/status", 200, "", STATUS);
    add_many(list, "StatusIntervalSec=1s");
    rig_wait_until(are_all_asked, (char *)"/status");
    rig_run(500 * USEC_PER_MSEC);
    before = rig_requests("/status");
    nanosleep(&still, NULL);
    begun = clock_usec(CLOCK_MONOTONIC);
    for (unsigned i = 0; i < 11; i++) {
        rig_run(100 * USEC_PER_MSEC);
        assert_no_storm(before, begun, MANY / 4);
    }
    /* All of them go on. */
    before += MANY / 2;
    rig_wait_until(are_more_asked, &before);
    remove_many(list);
}
END_TEST

/* What timed out meanwhile says nothing about the backend. */
START_TEST(test_standstill_under_way) {
    struct timespec still = {.tv_sec = 1, .tv_nsec = 500000000};
    Backend *b = add_online("TimeoutSec=200ms");

    rig_delay("/status", 50 * USEC_PER_MSEC);
    ck_assert_int_eq(rig_check(b), 0);
    rig_run(10 * USEC_PER_MSEC);
    nanosleep(&still, NULL);
    rig_wait_for("check b yes");
    ck_assert_uint_eq(rig_count("b state"), 0);
    rig_remove(b);
}
END_TEST

/* Many are not asked at once, nor stay together after that. */
START_TEST(test_spread) {
    uint64_t begun = clock_usec(CLOCK_MONOTONIC);
    Backend *list[MANY];
    unsigned before;

    rig_answer("/status", 200, "", STATUS);
    add_many(list, "StatusIntervalSec=1s");
    rig_run(20 * USEC_PER_MSEC);
    /* 500 a second, and those whose turn comes first. */
    assert_no_storm(0, begun, MANY / 2);
    rig_wait_until(are_all_asked, (char *)"/status");
    rig_run(USEC_PER_SEC);
    before = rig_requests("/status");
    begun = clock_usec(CLOCK_MONOTONIC);
    rig_run(100 * USEC_PER_MSEC);
    assert_no_storm(before, begun, MANY / 4);
    remove_many(list);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("backend-watch");
    TCase *t = tcase_create("watch"), *many = tcase_create("many");

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
    tcase_add_test(t, test_digest);
    tcase_add_loop_test(t, test_validators, 0, ELEMENTSOF(validators));
    tcase_add_test(t, test_new_validator);
    tcase_add_test(t, test_poll_after_load);
    tcase_add_test(t, test_poll_after_failed_load);
    tcase_add_test(t, test_304_for_nothing);
    tcase_add_test(t, test_long_validator);
    tcase_add_test(t, test_never_two);
    tcase_add_test(t, test_polling);
    tcase_add_test(t, test_failing_polls);
    tcase_add_loop_test(t, test_retry_after, 0, ELEMENTSOF(pauses));
    tcase_add_test(t, test_retry_after_poll);
    tcase_add_test(t, test_plan_stays);
    tcase_add_test(t, test_caps);
    tcase_add_test(t, test_nothing_to_poll);
    tcase_add_test(t, test_request);
    tcase_add_test(t, test_request_failed);
    tcase_add_test(t, test_change);
    tcase_add_test(t, test_unreadable);
    suite_add_tcase(s, t);
    t = tcase_create("room");
    tcase_add_checked_fixture(t, rig_setup, rig_teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, test_no_room);
    suite_add_tcase(s, t);
    tcase_add_checked_fixture(many, rig_setup, rig_teardown);
    tcase_add_test(many, test_hung_ones);
    tcase_add_test(many, test_standstill);
    tcase_add_test(many, test_standstill_under_way);
    tcase_add_test(many, test_spread);
    suite_add_tcase(s, many);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
