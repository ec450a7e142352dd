#include <errno.h>

#include "daemon/http/http-operation-private.h"

/* An operation that has succeeded: its result is taken, from the answer that says so or from where
 * that points to. Nothing of this makes a failure of it. */

static void append(char *buf, size_t size, const char *text) {
    size_t n = strlen(buf);

    snprintf(buf + n, size - n, "%s%s", n > 0 ? "; " : "", text);
}

void operation_succeed(HttpOperation *o, const char *note) {
    char message[1200] = "";

    if (operation_is_cancelling(o))
        append(message, sizeof(message), "the cancel came too late");
    if (!isempty(o->text))
        append(message, sizeof(message), o->text);
    if (!isempty(note))
        append(message, sizeof(message), note);
    operation_end(o, TASK_SUCCEEDED, "%s", message);
}

/* ---- what is there ---- */

static int keep(HttpOperation *o, const char *json, char *note, size_t size) {
    int r;

    if (strlen(json) > o->spec.result_max) {
        snprintf(note, size,
                 "its result was not kept: it has %zu bytes, more than %" PRIu64 " (result-max)",
                 strlen(json), o->spec.result_max);
        return 0;
    }
    r = o->spec.set_result(o->job.userdata, json);
    if (r < 0)
        snprintf(note, size, "its result was not kept: %s", strerror(-r));
    o->has_result = r >= 0;
    return r;
}

static void end_with(HttpOperation *o, int r, const char *json) {
    char note[200] = "";

    if (r >= 0)
        (void)keep(o, json, note, sizeof(note));
    else if (r == -EBADMSG)
        snprintf(note, sizeof(note), "its result was not kept: it is neither JSON nor text");
    else if (r != -ENOENT)
        snprintf(note, sizeof(note), "its result was not kept: %s", strerror(-r));
    operation_succeed(o, note);
}

static void take_body(HttpOperation *o, const OperationAnswer *a) {
    _cleanup_free_ char *json = NULL;
    int r = operation_result_body(a, &json);

    end_with(o, r, json);
}

/* ---- elsewhere ---- */

/* False: it is nowhere else, or where it must not be asked for. */
static bool go_to_link(HttpOperation *o, const OperationAnswer *a) {
    const char *link = operation_result_link(a);
    _cleanup_error_ Error error = {};
    char *url = NULL;

    if (!link && o->saved.result_url) {
        url = strdup(o->saved.result_url);
        if (url)
            operation_fetch_from(o, url);
        return url;
    }
    if (!link)
        return false;
    if (operation_resolve(a, link, &url, &error) < 0) {
        operation_log(o, true, "Its result is not read: %s", strempty(error.message));
        return false;
    }
    operation_fetch_from(o, url);
    return true;
}

void operation_take_result(HttpOperation *o, const OperationAnswer *a) {
    _cleanup_free_ char *json = NULL;
    int r = operation_result_field(a, &o->p, &json);

    if (r != -ENOENT) {
        end_with(o, r, json);
        return;
    }
    if (o->p.result_field) {
        char note[300];
        snprintf(note, sizeof(note), "the answer has no result at \"%.200s\" (result_field)",
                 o->p.result_field);
        operation_succeed(o, note);
        return;
    }
    if (!go_to_link(o, a))
        take_body(o, a);
}

void operation_fetch_from(HttpOperation *o, char *url) {
    _cleanup_free_ char *shown = operation_url_shown(url);

    operation_log(o, false, "Succeeded, reading its result from %s", strempty(shown));
    operation_status(o, "Succeeded, reading its result");
    free(o->fetch_url);
    o->fetch_url = url;
    o->step = OPERATION_STEP_RESULT;
    o->pace.backoff_usec = 0;
    operation_later(o, 0);
}

static void give_up(HttpOperation *o, const char *text) {
    _cleanup_free_ char *shown = operation_url_shown(o->fetch_url);
    char note[1000];

    snprintf(note, sizeof(note), "its result could not be read from %.300s: %.600s",
             strempty(shown), text);
    operation_succeed(o, note);
}

static void try_again(HttpOperation *o, const char *text, uint64_t retry_after) {
    operation_log_failure(o, "Its result cannot be read: %s", text);
    if (++o->fetch_tries >= OPERATION_RESULT_TRIES_MAX || operation_is_cancelling(o))
        give_up(o, text);
    else
        operation_later(o, operation_pace_bad(&o->pace, retry_after, operation_random()));
}

static void on_failure(HttpOperation *o, int error, const char *text) {
    if (error == -EINVAL || error == -EMSGSIZE)
        give_up(o, text);
    else
        try_again(o, text, 0);
}

static void on_redirect(HttpOperation *o, const OperationAnswer *a) {
    _cleanup_error_ Error error = {};
    char *url = NULL;

    if (!a->location || ++o->hops > OPERATION_HOPS_MAX) {
        give_up(o, a->location ? "the server redirects in a circle"
                               : "the server does not say where it is");
        return;
    }
    if (operation_resolve(a, a->location, &url, &error) < 0) {
        give_up(o, strempty(error.message));
        return;
    }
    free(o->fetch_url);
    o->fetch_url = url;
    operation_fetch(o);
}

static void on_answer(HttpOperation *o, const OperationAnswer *a) {
    _cleanup_free_ char *text = NULL, *json = NULL;

    if (a->status >= 200 && a->status < 300 && a->status != 202) {
        if (operation_answer_is_garbage(a)) {
            try_again(o, "the answer is no JSON", 0);
            return;
        }
        if (o->p.result_field && operation_result_field(a, &o->p, &json) >= 0)
            end_with(o, 0, json);
        else
            take_body(o, a);
        return;
    }
    if (a->status >= 300 && a->status < 400) {
        on_redirect(o, a);
        return;
    }
    text = operation_describe_answer(o, a);
    if (a->status == 202 || operation_is_busy_status(a->status) || a->status >= 500)
        try_again(o, strempty(text), operation_retry_after(a));
    else
        give_up(o, strempty(text));
}

void operation_fetch(HttpOperation *o) {
    operation_call(o, "GET", o->fetch_url, NULL, on_answer, on_failure);
}
