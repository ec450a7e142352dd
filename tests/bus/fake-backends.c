#include "tests/bus/fake-backends.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>

#include "common/cleanup.h"

static Backend *find(void *userdata, const char *name) {
    Backend *b;

    HASH_FIND_STR(((FakeDaemon *)userdata)->backends, name, b);
    return b;
}

static const Backend *next(void *userdata, const Backend *b) {
    return b ? b->hh.next : ((FakeDaemon *)userdata)->backends;
}

static Backend *add_backend(FakeDaemon *f, const char *name, BackendSettings *settings) {
    Backend *b = backend_new(name, settings);

    ck_assert_ptr_nonnull(b);
    HASH_ADD_KEYPTR(hh, f->backends, b->name, strlen(b->name), b);
    return b;
}

static int add(void *userdata, const char *name, BackendSettings *settings, Error *error) {
    if (find(userdata, name)) {
        backend_settings_free(settings);
        return error_set(error, ERROR_INVALID_OPTION, "there is %s already", name);
    }
    add_backend(userdata, name, settings);
    return 0;
}

static int remove_backend(void *userdata, const char *name, Error *error) {
    FakeDaemon *f = userdata;
    Backend *b = find(f, name);

    if (!b)
        return error_set(error, ERROR_NO_SUCH_BACKEND, "no %s", name);
    HASH_DEL(f->backends, b);
    backend_free(b);
    return 0;
}

static int set_polling(void *userdata, Backend *b, bool on, Error *error) {
    b->polling = on;
    return 0;
}

static int set_current_peer(void *userdata, Backend *b, const char *peer, Error *error) {
    if (streq(peer, "nobody"))
        return error_set(error, ERROR_INVALID_OPTION, "nobody is no peer");
    free(b->current_peer);
    b->current_peer = strdup(peer);
    return 0;
}

/* ---- asked ---- */

static int ask(void *userdata, FakeAskType type, void *func, void *arg, Error *error,
               const char *format, ...) {
    FakeDaemon *f = userdata;
    FakeAsk *a = calloc(1, sizeof(FakeAsk));
    va_list ap;

    va_start(ap, format);
    vsnprintf(a->text, sizeof(a->text), format, ap);
    va_end(ap);
    a->type = type;
    a->func = func;
    a->arg = arg;
    TAILQ_INSERT_TAIL(&f->asks, a, link);
    if (f->ask_result >= 0)
        return 0;
    TAILQ_REMOVE(&f->asks, a, link);
    free(a);
    return f->ask_result == -EREMOTE ? error_set(error, ERROR_INVALID_OPTION, "refused")
                                     : f->ask_result;
}

static int check(void *userdata, Backend *b,
                 void (*func)(void *arg, bool online, const Error *error), void *arg,
                 Error *error) {
    return ask(userdata, FAKE_CHECK, func, arg, error, "check %s", b->name);
}

static int poll(void *userdata, Backend *b, void (*func)(void *arg, const Error *error), void *arg,
                Error *error) {
    return ask(userdata, FAKE_POLL, func, arg, error, "poll %s", b->name);
}

static int
request(void *userdata, Backend *b, const char *method, const char *path, const char *body,
        void (*func)(void *arg, unsigned http_status, const char *body, const Error *error),
        void *arg, Error *error) {
    return ask(userdata, FAKE_REQUEST, func, arg, error, "%s %s %s %s", method, b->name, path,
               body);
}

static int load_friends(void *userdata, Backend *b,
                        void (*func)(void *arg, const FriendList *l, const Error *error), void *arg,
                        Error *error) {
    return ask(userdata, FAKE_FRIENDS, func, arg, error, "friends of %s", b->name);
}

static int add_friend(void *userdata, Backend *b, const char *username,
                      void (*func)(void *arg, const FriendList *l, const Error *error), void *arg,
                      Error *error) {
    return ask(userdata, FAKE_FRIENDS, func, arg, error, "add %s to %s", username, b->name);
}

static int remove_friend(void *userdata, Backend *b, const char *username,
                         void (*func)(void *arg, const Error *error), void *arg, Error *error) {
    return ask(userdata, FAKE_DONE, func, arg, error, "remove %s from %s", username, b->name);
}

static int load_messages(void *userdata, Backend *b, const char *peer, unsigned limit,
                         void (*func)(void *arg, const char *peer, const MessageList *l,
                                      const Error *error),
                         void *arg, Error *error) {
    return ask(userdata, FAKE_MESSAGES, func, arg, error, "%u messages of %s at %s", limit, peer,
               b->name);
}

static int send_message(void *userdata, Backend *b, const char *to, const char *content,
                        void (*func)(void *arg, const char *peer, const MessageList *l,
                                     const Error *error),
                        void *arg, Error *error) {
    return ask(userdata, FAKE_MESSAGES, func, arg, error, "send %s to %s at %s", content, to,
               b->name);
}

static int delete_message(void *userdata, Backend *b, const char *id,
                          void (*func)(void *arg, const Error *error), void *arg, Error *error) {
    return ask(userdata, FAKE_DONE, func, arg, error, "delete %s at %s", id, b->name);
}

static const BackendApi backend_api = {
    .find = find,
    .next = next,
    .add = add,
    .remove = remove_backend,
    .set_polling = set_polling,
    .check = check,
    .poll = poll,
    .request = request,
    .load_friends = load_friends,
    .add_friend = add_friend,
    .remove_friend = remove_friend,
    .load_messages = load_messages,
    .send_message = send_message,
    .delete_message = delete_message,
    .set_current_peer = set_current_peer,
};

/* ---- the test's side ---- */

void fake_backends_init(FakeDaemon *f) {
    f->api.backends = &backend_api;
    TAILQ_INIT(&f->asks);
}

void fake_backends_done(FakeDaemon *f) {
    for (FakeAsk *a; (a = TAILQ_FIRST(&f->asks));) {
        TAILQ_REMOVE(&f->asks, a, link);
        free(a);
    }
    for (Backend *b; (b = f->backends);) {
        HASH_DEL(f->backends, b);
        backend_free(b);
    }
}

Backend *fake_backend_add(FakeDaemon *f, const char *name, const char *type) {
    BackendSettings *s = backend_settings_new();

    ck_assert_ptr_nonnull(s);
    free(s->type);
    s->type = strdup(type);
    return add_backend(f, name, s);
}

const FakeAsk *fake_backend_first(FakeDaemon *f) {
    return TAILQ_FIRST(&f->asks);
}

static void answer(const FakeAsk *a, const Error *e, const void *data) {
    switch (a->type) {
    case FAKE_CHECK:
        ((void (*)(void *, bool, const Error *))a->func)(a->arg, data && *(const bool *)data, e);
        break;
    case FAKE_POLL:
    case FAKE_DONE:
        ((void (*)(void *, const Error *))a->func)(a->arg, e);
        break;
    case FAKE_REQUEST:
        ((void (*)(void *, unsigned, const char *, const Error *))a->func)(a->arg, 418, data, e);
        break;
    case FAKE_FRIENDS:
        ((void (*)(void *, const FriendList *, const Error *))a->func)(a->arg, data, e);
        break;
    case FAKE_MESSAGES:
        ((void (*)(void *, const char *, const MessageList *, const Error *))a->func)(
            a->arg, "anna", data, e);
        break;
    }
}

void fake_backend_answer(FakeDaemon *f, ErrorCode error, const void *data) {
    _cleanup_error_ Error e = {};
    FakeAsk *a = TAILQ_FIRST(&f->asks);

    ck_assert_ptr_nonnull(a);
    TAILQ_REMOVE(&f->asks, a, link);
    if (error != ERROR_NONE)
        (void)error_set(&e, error, "the server is \"away\"");
    answer(a, &e, data);
    free(a);
}
