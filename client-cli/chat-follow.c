#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "client-cli/backend.h"
#include "client-cli/chat-seen.h"
#include "client-cli/chat.h"
#include "client-cli/client.h"
#include "client-cli/output.h"

/* longrun chat BACKEND read PEER --follow */

#define PROPERTIES "org.freedesktop.DBus.Properties"
#define INTERVAL_DEFAULT_USEC (2 * USEC_PER_SEC)
#define INTERVAL_MIN_USEC (100 * USEC_PER_MSEC)

/* The daemon polls the messages of one peer, and tells everybody. When somebody else reads those of
 * another one, or it was told not to poll, ours are asked for from here, in the same rhythm. */
typedef struct Follow {
    sd_bus *bus; /* not owned */
    sd_event *event;
    const char *backend, *peer; /* not owned */
    char *path;                 /* owned */
    bool as_json;
    ChatSeen seen;
    bool polled;  /* by the daemon */
    bool polling; /* the same, whoever the peer is */
    bool loading; /* an answer is to come */
    uint64_t interval_usec;
    char *last_error; /* said, and not to be said again; owned, NULL: none */
    bool done;
    int result; /* -errno, once it is done */
} Follow;

static int finish(Follow *f, int r) {
    f->done = true;
    f->result = r;
    return 0;
}

static int finish_gone(Follow *f) {
    print_error("there is no messenger \"%s\" any more", f->backend);
    return finish(f, -ENOENT);
}

/* ---- messages ---- */

static void on_message(void *userdata, const cJSON *message) {
    const Follow *f = userdata;

    chat_print_message(message, f->as_json);
}

static void on_known_message(void *userdata, const cJSON *message) {
}

static void take(Follow *f, const cJSON *messages) {
    free(TAKE_PTR(f->last_error));
    chat_seen_take(&f->seen, messages, on_message, f);
}

static void say(Follow *f, const char *error) {
    if (streq(strempty(f->last_error), error))
        return;
    free(f->last_error);
    f->last_error = must(strdup(error));
    print_error("%s", error);
}

static int on_loaded(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    _cleanup_json_ cJSON *messages = NULL;
    Follow *f = userdata;
    const char *peer;

    if (sd_bus_message_read(m, "s", &peer) >= 0 && streq(peer, f->peer) &&
        json_read_bus(m, &messages) >= 0)
        take(f, messages);
    return 0;
}

static int on_error(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    const char *text;

    if (sd_bus_message_read(m, "s", &text) >= 0)
        say(userdata, text);
    return 0;
}

/* ---- asking ---- */

static bool is_over(const sd_bus_error *error) {
    return sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_OBJECT) ||
           sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_METHOD) ||
           sd_bus_error_has_name(error, CLIENT_NAME ".Error.NoSuchBackend");
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    _cleanup_json_ cJSON *messages = NULL;
    Follow *f = userdata;

    f->loading = false;
    if (!reply)
        return finish(f, -ENOTCONN);
    const sd_bus_error *failed = sd_bus_message_get_error(reply);
    if (!failed) {
        if (json_read_bus(reply, &messages) >= 0)
            take(f, messages);
        return 0;
    }
    if (is_over(failed))
        return finish_gone(f);
    /* What the daemon says of the server may pass; whatever else comes has been waited for. */
    if (strncmp(failed->name, CLIENT_NAME ".Error.", strlen(CLIENT_NAME ".Error.")) != 0)
        return finish(f, client_report(failed, -sd_bus_message_get_errno(reply)));
    say(f, strempty(failed->message));
    return 0;
}

static int load(Follow *f) {
    _cleanup_message_ sd_bus_message *call = NULL;
    int r;

    if (f->loading)
        return 0;
    r = chat_new_load(f->bus, f->backend, f->peer, 0, &call);
    if (r == 0)
        r = client_ask_async(f->bus, call, CLIENT_FOREVER, on_answer, f);
    f->loading = r == 0;
    return r;
}

static int on_tick(sd_event_source *timer, uint64_t usec, void *userdata) {
    Follow *f = userdata;

    if (!(f->polled && f->polling) && load(f) != 0)
        return finish(f, -EIO);
    sd_event_source_set_time_relative(timer, f->interval_usec);
    return sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

/* ---- what the daemon does by itself ---- */

static void read_state(Follow *f, const cJSON *properties) {
    const cJSON *peer = cJSON_GetObjectItemCaseSensitive(properties, "current-peer");
    const cJSON *polling = cJSON_GetObjectItemCaseSensitive(properties, "polling");
    uint64_t interval = json_u64(properties, "poll-interval");

    if (cJSON_IsString(peer))
        f->polled = streq(peer->valuestring, f->peer);
    if (cJSON_IsBool(polling))
        f->polling = cJSON_IsTrue(polling);
    if (interval > 0)
        f->interval_usec = MAX(interval, INTERVAL_MIN_USEC);
}

static int on_properties(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    _cleanup_json_ cJSON *changed = NULL;
    const char *interface;

    if (sd_bus_message_read(m, "s", &interface) < 0 || json_read_bus(m, &changed) < 0)
        return 0;
    json_tidy_task(changed);
    read_state(userdata, changed);
    return 0;
}

static int on_removed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    const char *name, *path;
    Follow *f = userdata;

    if (sd_bus_message_read(m, "so", &name, &path) < 0 || !streq(name, f->backend))
        return 0;
    return finish_gone(f);
}

/* The next daemon knows nothing of our peer: the question tells it, and brings it, too. */
static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    Follow *f = userdata;

    f->polled = false;
    return load(f) == 0 ? 0 : finish(f, -EIO);
}

/* ---- all ---- */

/* Nobody reads any more: go as if we had written, rather than wait for the next line. */
static int on_reader_gone(sd_event_source *source, int fd, uint32_t events, void *userdata) {
    raise(SIGPIPE);
    return finish(userdata, -EPIPE);
}

static int subscribe(Follow *f) {
    const struct {
        const char *interface, *member;
        sd_bus_message_handler_t callback;
    } signals[] = {{CLIENT_MESSENGER, "MessagesLoaded", on_loaded},
                   {CLIENT_BACKEND, "Error", on_error},
                   {PROPERTIES, "PropertiesChanged", on_properties}};
    int r = 0;

    for (size_t i = 0; i < ELEMENTSOF(signals) && r >= 0; i++)
        r = sd_bus_match_signal_async(f->bus, NULL, CLIENT_NAME, f->path, signals[i].interface,
                                      signals[i].member, signals[i].callback, NULL, f);
    if (r >= 0)
        r = sd_bus_match_signal_async(f->bus, NULL, CLIENT_NAME, CLIENT_ROOT, CLIENT_MANAGER,
                                      "BackendRemoved", on_removed, NULL, f);
    if (r < 0)
        return r;
    return sd_bus_add_match_async(f->bus, NULL,
                                  "type='signal',sender='org.freedesktop.DBus',"
                                  "member='NameOwnerChanged',arg0='" CLIENT_NAME "'",
                                  on_owner_changed, NULL, f);
}

/* The messages are read once more behind the subscription: nothing is lost in between. */
static int begin(Follow *f) {
    _cleanup_json_ cJSON *properties = NULL;
    int r = client_watch_reader(f->event, on_reader_gone, f);

    if (r >= 0)
        r = subscribe(f);
    if (r < 0)
        return client_report(NULL, r);
    r = backend_properties(f->bus, f->backend, &properties);
    if (r != 0)
        return r;
    read_state(f, properties);
    r = sd_bus_attach_event(f->bus, f->event, SD_EVENT_PRIORITY_NORMAL);
    if (r >= 0)
        r = sd_event_add_time_relative(f->event, NULL, CLOCK_MONOTONIC, f->interval_usec, 0,
                                       on_tick, f);
    return r < 0 ? client_report(NULL, r) : load(f);
}

static int follow(Follow *f) {
    int r = sd_event_new(&f->event);

    if (r < 0)
        return print_error("%s", strerror(-r));
    r = begin(f);
    if (r == 0)
        r = client_loop(f->event, &f->done);
    if (r == 0)
        r = f->result;
    sd_bus_detach_event(f->bus);
    sd_event_unref(f->event);
    return r;
}

int chat_follow(sd_bus *bus, const char *backend, const char *peer, const cJSON *messages,
                bool as_json) {
    Follow f = {
        .bus = bus,
        .backend = backend,
        .peer = peer,
        .path = backend_path(backend),
        .as_json = as_json,
        .interval_usec = INTERVAL_DEFAULT_USEC,
    };

    chat_seen_take(&f.seen, messages, on_known_message, NULL);
    int r = follow(&f);
    chat_seen_done(&f.seen);
    free(f.last_error);
    free(f.path);
    return r;
}
