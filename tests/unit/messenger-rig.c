#include "tests/unit/messenger-rig.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "tests/unit/unit.h"

#define CALLS_MAX 512

Backend *rig_backend;

static RigCall calls[CALLS_MAX];
static size_t n_calls;
static int refusal;
static char told[16384], last_told[16384];

_printf_(1, 2) static void tell(const char *format, ...) {
    size_t n = strlen(told);
    va_list ap;

    va_start(ap, format);
    n += (size_t)snprintf(told + n, sizeof(told) - n, "%s", n > 0 ? " " : "");
    vsnprintf(told + n, sizeof(told) - n, format, ap);
    va_end(ap);
}

const char *rig_told(void) {
    strcpy(last_told, told);
    told[0] = '\0';
    return last_told;
}

/* ---- in place of http-client.c and backend-watch.c ---- */

int http_client_call(HttpClient *c, const HttpClientRequest *request, HttpDoneFunc func,
                     void *userdata, HttpCall **ret, Error *error) {
    RigCall *call = &calls[n_calls];

    if (refusal != 0) {
        int r = refusal;
        refusal = 0;
        return r == -EREMOTE ? error_set(error, ERROR_BACKEND_FAILED, "refused") : r;
    }
    MUST(n_calls < CALLS_MAX);
    n_calls++;
    *call = (RigCall){.method = strdup(request->method),
                      .path = strdup(request->path),
                      .json = strdup(strempty(request->json)),
                      .func = func,
                      .userdata = userdata};
    *ret = (HttpCall *)call;
    return 0;
}

HttpCall *http_call_free(HttpCall *c) {
    RigCall *call = (RigCall *)c;

    if (call) {
        MUST(!call->dropped && !call->answered);
        call->dropped = true;
    }
    return NULL;
}

HttpClient *backend_watch_client(Backend *b) {
    return NULL;
}

void backend_watch_poll_anew(Backend *b) {
    tell("anew");
}

void backend_watch_poll_later(Backend *b) {
    tell("later");
}

void backend_watch_note(Backend *b, const HttpReply *reply, const Error *error) {
    if (error)
        tell("error(%s)", error->message);
}

/* ---- what is told ---- */

static char *words_of_friends(const FriendList *l) {
    static char text[2048];

    text[0] = '\0';
    for (size_t i = 0; i < l->n; i++)
        sprintf(text + strlen(text), "%s%s", i > 0 ? " " : "", l->items[i].username);
    return text;
}

static char *words_of_messages(const char *peer, const MessageList *l) {
    static char text[2048];

    sprintf(text, "%s:", peer);
    for (size_t i = 0; i < l->n; i++)
        sprintf(text + strlen(text), " %s", l->items[i].content);
    return text;
}

static void on_friends(void *userdata, Backend *b, const FriendList *l) {
    tell("friends(%s)", words_of_friends(l));
}

static void on_added(void *userdata, Backend *b, const FriendList *l) {
    MUST(l->n == 1);
    tell("added(%s)", words_of_friends(l));
}

static void on_messages(void *userdata, Backend *b, const char *peer, const MessageList *l) {
    tell("messages(%s)", words_of_messages(peer, l));
}

static void on_sent(void *userdata, Backend *b, const MessageList *l) {
    MUST(l->n == 1);
    tell("sent(%s)", words_of_messages(l->items[0].peer, l));
}

static void on_peer(void *userdata, Backend *b) {
    tell("peer(%s)", b->current_peer);
}

const BackendEvents *backend_watch_events(const Backend *b, void **ret_userdata) {
    static const BackendEvents events = {
        .friends_loaded = on_friends,
        .friend_added = on_added,
        .messages_loaded = on_messages,
        .message_sent = on_sent,
        .current_peer_changed = on_peer,
    };

    *ret_userdata = NULL;
    return &events;
}

/* ---- the server ---- */

void rig_refuse(int r) {
    refusal = r;
}

size_t rig_n_calls(void) {
    return n_calls;
}

static bool is_open(const RigCall *c) {
    return !c->answered && !c->dropped;
}

size_t rig_n_open(void) {
    size_t n = 0;

    for (size_t i = 0; i < n_calls; i++)
        n += is_open(&calls[i]);
    return n;
}

const char *rig_call(size_t i) {
    static char text[1024];

    MUST(i < n_calls);
    snprintf(text, sizeof(text), "%s %s%s%s", calls[i].method, calls[i].path,
             calls[i].json[0] ? " " : "", calls[i].json);
    return text;
}

bool rig_is_dropped(size_t i) {
    MUST(i < n_calls);
    return calls[i].dropped;
}

static void deliver(size_t i, const HttpReply *reply) {
    MUST(i < n_calls && is_open(&calls[i]));
    calls[i].answered = true;
    calls[i].func(calls[i].userdata, reply);
}

void rig_answer(size_t i, unsigned status, const char *body) {
    HttpReply reply = {
        .error_text = "", .status = status, .body = body, .body_size = strlen(body), .url = ""};

    deliver(i, &reply);
}

void rig_break(size_t i, int error, const char *text) {
    HttpReply reply = {.error = error, .error_text = text, .body = "", .url = ""};

    deliver(i, &reply);
}

/* ---- who asks ---- */

static void answer_friends(void *arg, const FriendList *l, const Error *error) {
    if (error->code == ERROR_NONE)
        tell("-> %s", words_of_friends(l));
    else
        tell("-> %s", error->message);
}

static void answer_messages(void *arg, const char *peer, const MessageList *l, const Error *error) {
    if (error->code == ERROR_NONE)
        tell("-> %s", words_of_messages(peer, l));
    else
        tell("-> %s", error->message);
}

static void answer_done(void *arg, const Error *error) {
    tell("-> %s", error->code == ERROR_NONE ? "done" : error->message);
}

static const char *result(int r, Error *error) {
    static char text[512];

    snprintf(text, sizeof(text), "%s",
             r == -EREMOTE ? strempty(error->message)
             : r < 0       ? strerrorname_np(-r)
                           : "");
    error_done(error);
    return text;
}

const char *rig_load_friends(void) {
    Error error = {};
    return result(messenger_load_friends(rig_backend, answer_friends, NULL, &error), &error);
}

const char *rig_load_messages(const char *peer, unsigned limit) {
    Error error = {};
    return result(messenger_load_messages(rig_backend, peer, limit, answer_messages, NULL, &error),
                  &error);
}

const char *rig_add(const char *username) {
    Error error = {};
    return result(messenger_add_friend(rig_backend, username, answer_friends, NULL, &error),
                  &error);
}

const char *rig_remove(const char *username) {
    Error error = {};
    return result(messenger_remove_friend(rig_backend, username, answer_done, NULL, &error),
                  &error);
}

const char *rig_send(const char *to, const char *content) {
    Error error = {};
    return result(messenger_send(rig_backend, to, content, answer_messages, NULL, &error), &error);
}

const char *rig_delete(const char *id) {
    Error error = {};
    return result(messenger_delete_message(rig_backend, id, answer_done, NULL, &error), &error);
}

const char *rig_set_peer(const char *peer) {
    Error error = {};
    return result(messenger_set_current_peer(rig_backend, peer, &error), &error);
}

const char *rig_poll_path(void) {
    static char text[512];
    _cleanup_free_ char *path = backend_type_messenger.poll_path(rig_backend);

    snprintf(text, sizeof(text), "%s", strempty(path));
    return text;
}

bool rig_polls(void) {
    return rig_poll_path()[0] && !backend_type_messenger.is_loading(rig_backend);
}

const char *rig_poll(const char *path, const char *json) {
    Error error = {};
    return result(backend_type_messenger.polled(rig_backend, path, json, &error), &error);
}

/* ---- the clock ---- */

static uint64_t waited;

void rig_wait(uint64_t usec) {
    waited += usec;
}

/* In front of that of libc. */
int clock_gettime(clockid_t clock, struct timespec *ret) {
    uint64_t usec = 1000 * USEC_PER_SEC + waited;

    *ret = (struct timespec){.tv_sec = (time_t)(usec / USEC_PER_SEC),
                             .tv_nsec = (long)(usec % USEC_PER_SEC * NSEC_PER_USEC)};
    return 0;
}

void rig_setup(void) {
    rig_backend = calloc(1, sizeof(Backend));
    MUST(rig_backend);
    rig_backend->name = strdup("chat");
    rig_backend->current_peer = strdup("");
}

void rig_teardown(void) {
    backend_type_messenger.forget(rig_backend);
    MUST(!rig_backend->kept);
    for (size_t i = 0; i < n_calls; i++) {
        MUST(!is_open(&calls[i]));
        free(calls[i].method);
        free(calls[i].path);
        free(calls[i].json);
    }
    free(rig_backend->name);
    free(rig_backend->current_peer);
    free(rig_backend);
}
