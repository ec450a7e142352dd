#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/loopback.h"
#include "common/parse.h"
#include "daemon/core/expectation.h"
#include "daemon/http/backend-answer.h"
#include "daemon/http/backend-watch-private.h"
#include "daemon/http/network-route.h"

/* Checks of the status: whether a backend is online. */

bool backend_check_is_under_way(const BackendWatch *w) {
    return w->check.call || w->question.state || w->check.unstarted.code != ERROR_NONE;
}

void backend_check_drop(BackendWatch *w) {
    backend_ask_drop(&w->check);
    network_question_drop(&w->question);
    error_done(&w->found);
}

/* ---- what it says ---- */

static int check_time(const BackendSettings *s, const HttpReply *reply, Error *error) {
    char took[FORMAT_MAX], most[FORMAT_MAX];

    if (s->expect_time_usec == 0 || reply->latency_usec <= s->expect_time_usec)
        return 0;
    return error_set(error, ERROR_BACKEND_FAILED, "the answer took %s, expected is %s at most",
                     format_span(took, reply->latency_usec),
                     format_span(most, s->expect_time_usec));
}

/* 0 and the JSON, or -EREMOTE. */
static int judge(const BackendSettings *s, const HttpReply *reply, const char **ret_json,
                 Error *error) {
    if (reply->error < 0 || !status_ranges_have(s->expect_status, reply->status))
        return answer_error(reply, error);
    if (check_time(s, reply, error) < 0 || answer_json(reply, ret_json, error) < 0)
        return -EREMOTE;
    return answer_expect(*ret_json, s->expect, error);
}

/* ---- what follows from it ---- */

static void set_known(BackendWatch *w) {
    w->all->n_new -= w->is_new;
    w->is_new = false;
}

/* One that somebody has asked for does not move the plan, unless it has found another state. */
static void plan_next(BackendWatch *w, bool spread, bool moved) {
    const BackendSettings *s = w->b->settings;
    uint64_t now = clock_usec(CLOCK_MONOTONIC), random = backend_watch_random(w->all), due;

    if (!w->b->polling || (!w->planned && !moved && w->check.due != USEC_INFINITY))
        return;
    if (w->b->state == BACKEND_ONLINE)
        due = w->check.begun + backend_plan_next(s->status_interval_usec, spread, random);
    else
        due = now + backend_plan_backoff(s->status_interval_usec, s->backoff_max_usec, w->failures,
                                         random);
    /* One that was slow has missed its next: none is made up for. */
    if (due <= now)
        due = now + backend_plan_next(s->status_interval_usec, spread, random);
    backend_watch_plan_check(w, MAX(due, w->check.hold));
}

/* The check is over, and the state is known. Everybody is told when all is in its place. */
static void finish(BackendWatch *w, BackendState state, const char *reason, const char *json,
                   const Error *error) {
    const BackendEvents *events = w->all->events;
    void *userdata = w->all->userdata;
    BackendState before = w->b->state;
    bool was_new = w->is_new, online = error->code == ERROR_NONE;
    bool changed = backend_news_set(&w->b->reason, reason) || before != state;

    set_known(w);
    w->b->state = state;
    w->check.repeated = false;
    plan_next(w, was_new || before == BACKEND_UNKNOWN, before != state);
    if (before != state)
        backend_poll_follow(w);
    if (changed && events->state_changed)
        events->state_changed(userdata, w->b);
    if (events->checked)
        events->checked(userdata, w->b, online, online ? json : NULL);
    backend_ask_tell(&w->check, online, error);
}

static void finish_good(BackendWatch *w, const char *json, uint64_t latency_usec) {
    BackendState state = backend_health_count(&w->health, w->b->state, true, w->b->settings);

    w->failures = 0;
    w->good = w->check.begun;
    w->check.hold = 0;
    backend_news_good(w, BACKEND_FROM_CHECK, latency_usec);
    backend_news_keep_status(w, json);
    finish(w, state, state == BACKEND_ONLINE ? "" : w->b->reason, json, &(Error){});
}

/* What could not be reached is offline, and `checked` says so; what answers, but badly, is an error
 * besides. */
static void note_bad(BackendWatch *w, const Error *error) {
    _cleanup_free_ char *text = NULL;

    if (asprintf(&text, "Failed to load status: %s", strempty(error->message)) < 0)
        text = NULL;
    backend_news_bad(w, BACKEND_FROM_CHECK, strempty(text), error->code == ERROR_BACKEND_FAILED);
}

static void count_failure(BackendWatch *w) {
    if (w->planned && w->failures < UINT32_MAX)
        w->failures++;
    w->failures = MAX(w->failures, 1U);
}

static void finish_bad(BackendWatch *w, const Error *error) {
    BackendState state = backend_health_count(&w->health, w->b->state, false, w->b->settings);

    count_failure(w);
    note_bad(w, error);
    finish(w, state, state == BACKEND_OFFLINE ? strempty(error->message) : "", NULL, error);
}

/* It says nothing about the backend: what was counted so far begins anew. */
static void finish_lost(BackendWatch *w, const Error *error, const char *why) {
    w->health = (BackendHealth){};
    count_failure(w);
    note_bad(w, error);
    finish(w, BACKEND_UNKNOWN, why, NULL, error);
}

/* ---- whether it is this machine ---- */

static void on_probed(void *arg, bool works) {
    BackendWatch *w = arg;
    Error error = w->found;

    w->found = (Error){};
    if (works)
        finish_bad(w, &error);
    else
        finish_lost(w, &error, "this machine is offline: the network probe has failed");
    error_done(&error);
}

/* Who refuses a connection, or answers, is there. With a certificate of somebody else it may be a
 * portal that wants a password first. */
static bool may_be_ours(int error) {
    return error == -ENETUNREACH || error == -EHOSTUNREACH || error == -ETIMEDOUT ||
           error == -ENOENT || error == -EAGAIN || error == -EKEYREJECTED;
}

static void finish_failed(BackendWatch *w, const HttpReply *reply, Error *error) {
    const char *url = w->b->settings->url;
    bool works = true;

    if (!may_be_ours(reply->error)) {
        finish_bad(w, error);
        return;
    }
    if (network_route_check(url) == -ENETUNREACH) {
        finish_lost(w, error, "this machine is offline: there is no route to the backend");
        return;
    }
    w->found = *error;
    *error = (Error){};
    w->question.func = on_probed;
    w->question.arg = w;
    if (loopback_is_url(url) || !network_state_ask(w->all->network, &w->question, &works))
        on_probed(w, works);
}

/* ---- asking ---- */

static void on_check(void *userdata, const HttpReply *reply) {
    _cleanup_error_ Error error = {};
    BackendWatch *w = userdata;
    const char *json = NULL;

    w->check.call = NULL;
    if (backend_ask_stood_still(&w->check, w, reply)) {
        backend_check_begin(w, w->planned);
        return;
    }
    if (judge(w->b->settings, reply, &json, &error) >= 0) {
        finish_good(w, json, reply->latency_usec);
        return;
    }
    backend_ask_hold(&w->check, w, reply);
    finish_failed(w, reply, &error);
}

void backend_check_begin(BackendWatch *w, bool planned) {
    HttpClientRequest request = {.method = "GET", .path = w->b->settings->status_path};
    int r;

    w->planned = planned;
    w->check.begun = clock_usec(CLOCK_MONOTONIC);
    if (planned)
        backend_watch_plan_check(w, USEC_INFINITY);
    r = http_client_call(w->client, &request, on_check, w, &w->check.call, &w->check.unstarted);
    if (r < 0 && r != -EREMOTE)
        error_set(&w->check.unstarted, ERROR_BACKEND_OFFLINE, "cannot ask: %s", strerror(-r));
    backend_watch_arm(w);
}

/* When memory is short here, or too much is under way, that says nothing about the backend. A
 * secret that cannot be read keeps us from it for as long as it is so. */
void backend_check_unstarted(BackendWatch *w) {
    Error error = w->check.unstarted;

    w->check.unstarted = (Error){};
    if (error.code == ERROR_BACKEND_OFFLINE) {
        w->check.repeated = false;
        plan_next(w, false, false);
        backend_ask_tell(&w->check, false, &error);
    } else {
        error.code = ERROR_BACKEND_FAILED;
        finish_bad(w, &error);
    }
    error_done(&error);
}

/* Not more often than an offline one is asked, and not before it wants to be. */
void backend_check_soon(BackendWatch *w) {
    uint64_t now = clock_usec(CLOCK_MONOTONIC);
    uint64_t pause = MIN(w->b->settings->status_interval_usec, BACKEND_PAUSE_MIN);
    uint64_t due = MAX(now, w->check.begun + pause);

    due = MAX(due, w->check.hold);
    if (w->b->polling && !backend_check_is_under_way(w) && due < w->check.due)
        backend_watch_plan_check(w, due);
}

void backend_check_stop(BackendWatch *w) {
    _cleanup_free_ char *reason = NULL;

    backend_watch_plan_check(w, USEC_INFINITY);
    if (TAILQ_EMPTY(&w->check.asked))
        backend_check_drop(w);
    if (asprintf(&reason, "it is not polled: longrun backend start %s", w->b->name) < 0)
        reason = NULL;
    set_known(w);
    w->health = (BackendHealth){};
    w->failures = 0;
    w->b->state = BACKEND_UNKNOWN;
    (void)backend_news_set(&w->b->reason, strempty(reason));
}

int backend_watch_check(Backend *b, BackendCheckFunc func, void *arg) {
    BackendWatch *w = b->watch;
    int r = backend_ask_add(&w->check, func, NULL, arg);

    if (r < 0)
        return r;
    if (!backend_check_is_under_way(w))
        backend_check_begin(w, false);
    return 0;
}
