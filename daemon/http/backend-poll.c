#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "daemon/http/backend-answer.h"
#include "daemon/http/backend-watch-private.h"

/* Polls: what is new at a backend, asked for as long as it is online. */

bool backend_poll_is_under_way(const BackendWatch *w) {
    return w->poll.call || w->poll.unstarted.code != ERROR_NONE;
}

void backend_poll_drop(BackendWatch *w) {
    backend_ask_drop(&w->poll);
}

void backend_poll_forget(BackendWatch *w) {
    http_seen_forget(&w->seen);
    w->poll_failures = 0;
    free(w->poll_path);
    w->poll_path = NULL;
}

static bool is_wanted(const BackendWatch *w) {
    return w->b->polling && w->b->state == BACKEND_ONLINE;
}

void backend_poll_follow(BackendWatch *w) {
    uint64_t now = clock_usec(CLOCK_MONOTONIC);

    if (!is_wanted(w))
        backend_watch_plan_poll(w, USEC_INFINITY);
    else if (!backend_poll_is_under_way(w)) {
        w->fresh = true;
        w->poll_failures = 0;
        backend_watch_plan_poll(w, MAX(now, w->poll.hold));
    }
}

/* ---- what has come ---- */

static void plan_next(BackendWatch *w) {
    const BackendSettings *s = w->b->settings;
    uint64_t now = clock_usec(CLOCK_MONOTONIC), random = backend_watch_random(w->all);
    uint64_t pause = backend_plan_next(s->poll_interval_usec, w->fresh, random);
    uint64_t due = w->poll.begun + pause;

    w->poll.repeated = w->fresh = false;
    if (!is_wanted(w)) {
        backend_watch_plan_poll(w, USEC_INFINITY);
        return;
    }
    /* One that was slow has missed its next: none is made up for. */
    if (due <= now)
        due = now + pause;
    if (w->poll_failures > 0)
        due = now + backend_plan_backoff(s->poll_interval_usec, s->backoff_max_usec,
                                         w->poll_failures, random);
    backend_watch_plan_poll(w, MAX(due, w->poll.hold));
}

/* A reason to look, until a check since then was good: it is what is polled, then, that is bad. */
static void look(BackendWatch *w) {
    if (w->failing_since == 0)
        w->failing_since = clock_usec(CLOCK_MONOTONIC);
    if (w->good < w->failing_since || w->health.failures > 0)
        backend_check_soon(w);
}

static void finish_bad(BackendWatch *w, Error *error) {
    error_prefix(error, "%s: ", w->type->poll_failed);
    if (TAILQ_EMPTY(&w->poll.asked) && w->poll_failures < UINT32_MAX)
        w->poll_failures++;
    w->poll_failures = MAX(w->poll_failures, 1U);
    plan_next(w);
    look(w);
    backend_news_bad(w, BACKEND_FROM_POLL, strempty(error->message), true);
    backend_ask_tell(&w->poll, false, error);
}

/* Takes what is new; the type can refuse it, or take what is too odd to be handed on as JSON. */
static int take(BackendWatch *w, const HttpReply *reply, HttpNews news, Error *error) {
    const BackendEvents *events = w->all->events;
    _cleanup_error_ Error not_json = {};
    const char *json;
    int r = answer_json(reply, &json, w->type->polled ? &not_json : error);

    if (w->type->polled && strlen(reply->body) == reply->body_size)
        r = w->type->polled(w->b, w->poll_path, reply->body, error);
    else if (w->type->polled)
        r = error_set(error, ERROR_BACKEND_FAILED, "the answer is not JSON");
    if (r < 0)
        return r;
    http_seen_keep(&w->seen, reply);
    w->whole = false;
    if (news == HTTP_NEW && events->updated && not_json.code == ERROR_NONE)
        events->updated(w->all->userdata, w->b, w->poll_path, json);
    return 0;
}

static int judge(BackendWatch *w, const HttpReply *reply, Error *error) {
    bool is_good = reply->error == 0 && reply->status >= 200 && reply->status <= 299;
    HttpNews news;

    if (!is_good && (reply->error < 0 || reply->status != 304))
        return answer_error(reply, error);
    news = http_seen_compare(&w->seen, reply);
    if (news == HTTP_NOTHING)
        return answer_error(reply, error);
    if (reply->status == 304)
        return 0;
    if (news == HTTP_NEW || w->whole)
        return take(w, reply, news, error);
    http_seen_renew(&w->seen, reply);
    return 0;
}

static void on_poll(void *userdata, const HttpReply *reply) {
    _cleanup_error_ Error error = {};
    BackendWatch *w = userdata;
    int r;

    w->poll.call = NULL;
    if (backend_ask_stood_still(&w->poll, w, reply)) {
        backend_poll_begin(w);
        return;
    }
    r = judge(w, reply, &error);
    if (r < 0 && r != -EREMOTE)
        error_set(&error, ERROR_BACKEND_FAILED, "%s", strerror(-r));
    if (r < 0) {
        backend_ask_hold(&w->poll, w, reply);
        finish_bad(w, &error);
        return;
    }
    w->poll.hold = w->failing_since = 0;
    w->poll_failures = 0;
    backend_news_good(w, BACKEND_FROM_POLL, reply->latency_usec);
    plan_next(w);
    backend_ask_tell(&w->poll, true, &error);
}

/* ---- asking ---- */

/* What is to be polled now. Another path than before: what was seen is of no use. 0, or -ENODATA
 * when there is nothing. */
static int set_path(BackendWatch *w) {
    char *path = w->type->poll_path(w->b);

    if (!path)
        return -ENODATA;
    if (w->poll_path && streq(path, w->poll_path)) {
        free(path);
        return 0;
    }
    backend_poll_forget(w);
    w->poll_path = path;
    return 0;
}

static bool is_left_out(const BackendWatch *w) {
    return TAILQ_EMPTY(&w->poll.asked) && w->type->is_loading && w->type->is_loading(w->b);
}

/* Who begins to have something to poll says so. */
void backend_poll_begin(BackendWatch *w) {
    HttpClientRequest request = {.method = "GET"};
    int r;

    w->poll.begun = clock_usec(CLOCK_MONOTONIC);
    if (is_left_out(w)) {
        plan_next(w);
        return;
    }
    r = set_path(w);
    backend_watch_plan_poll(w, USEC_INFINITY);
    if (r >= 0) {
        request.path = w->poll_path;
        request.headers = w->whole ? NULL : http_seen_headers(&w->seen);
        r = http_client_call(w->client, &request, on_poll, w, &w->poll.call, &w->poll.unstarted);
    } else if (TAILQ_EMPTY(&w->poll.asked))
        r = 0;
    else
        error_set(&w->poll.unstarted, ERROR_BACKEND_FAILED, "there is nothing to poll any more");
    if (r < 0 && r != -EREMOTE)
        error_set(&w->poll.unstarted, ERROR_BACKEND_FAILED, "cannot ask: %s", strerror(-r));
    backend_watch_arm(w);
}

void backend_poll_unstarted(BackendWatch *w) {
    Error error = w->poll.unstarted;

    w->poll.unstarted = (Error){};
    error.code = ERROR_BACKEND_FAILED;
    finish_bad(w, &error);
    error_done(&error);
}

int backend_watch_poll(Backend *b, BackendPollFunc func, void *arg) {
    BackendWatch *w = b->watch;
    _cleanup_free_ char *path = w->type->poll_path(b);
    int r = path ? backend_ask_add(&w->poll, NULL, func, arg) : -ENODATA;

    if (r < 0)
        return r;
    if (!backend_poll_is_under_way(w))
        backend_poll_begin(w);
    return 0;
}

/* Those who wait for the one that is dropped get the next. */
void backend_watch_poll_anew(Backend *b) {
    BackendWatch *w = b->watch;

    backend_poll_drop(w);
    backend_poll_forget(w);
    w->poll.repeated = false;
    if (!TAILQ_EMPTY(&w->poll.asked))
        backend_poll_begin(w);
    else
        backend_poll_follow(w);
}

void backend_watch_poll_later(Backend *b) {
    BackendWatch *w = b->watch;

    w->whole = true;
    if (!TAILQ_EMPTY(&w->poll.asked))
        return;
    backend_poll_drop(w);
    w->poll.begun = clock_usec(CLOCK_MONOTONIC);
    plan_next(w);
}
