/* Backends that are watched, over real sockets: what is polled, and those who ask. */

#include <errno.h>

#include "common/clock.h"
#include "daemon/http/messenger.h"
#include "tests/unit/unit.h"
#include "tests/unit/watch-rig.h"

/* ---- polls ---- */

START_TEST(test_digest) {
    Backend *b;

    rig_answer("/news", 200, "", "[1]");
    b = rig_add_online("PollPath=/news Polling=no");
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
    b = rig_add_online("PollPath=/news Polling=no");
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
    b = rig_add_online("PollPath=/news Polling=no");
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
    b = rig_add_online("Type=messenger Polling=no");
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
    b = rig_add_online("Type=messenger Polling=no");
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
    b = rig_add_online("PollPath=/news Polling=no");
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
    b = rig_add_online("PollPath=/news Polling=no");
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
    b = rig_add_online("PollPath=/news PollIntervalSec=100ms StatusIntervalSec=100ms Polling=no");
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
    b = rig_add_online("PollPath=/news PollIntervalSec=100ms BackoffMaxSec=1s");
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
    b = rig_add_online("PollPath=/news PollIntervalSec=100ms StatusIntervalSec=100ms");
    rig_wait_for("b error Failed to poll: HTTP 429");
    rig_run(500 * USEC_PER_MSEC);
    ck_assert_uint_eq(rig_requests("/news"), 1);
    ck_assert_int_eq(b->state, BACKEND_ONLINE);
    rig_remove(b);
}
END_TEST

/* ---- those who ask ---- */

START_TEST(test_plan_stays) {
    Backend *b = rig_add_online("StatusIntervalSec=1h");
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
    Backend *b = rig_add_online("");

    ck_assert_int_eq(rig_poll(b), -ENODATA);
    rig_remove(b);
}
END_TEST

START_TEST(test_request) {
    Backend *b = rig_add_online("");
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
    Backend *b = rig_add_online("");
    Error error = {};

    rig_close_server();
    ck_assert_int_eq(rig_request(b, "GET", "/x", "", &error), 0);
    rig_wait_for("request b 0  BackendOffline: ");
    rig_remove(b);
}
END_TEST

/* ---- other settings ---- */

START_TEST(test_change) {
    Backend *b = rig_add_online("PollPath=/news PollIntervalSec=1h");

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

static Suite *suite_new(void) {
    Suite *s = suite_create("backend-polls");
    TCase *t = tcase_create("polls");

    tcase_add_checked_fixture(t, rig_setup, rig_teardown);
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
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
