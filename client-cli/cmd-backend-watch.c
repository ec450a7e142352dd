#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "client-cli/backend-news.h"
#include "client-cli/backend.h"
#include "client-cli/client.h"
#include "client-cli/cmd-backend.h"
#include "client-cli/output.h"

/* longrun backend watch: what is listened to. */

#define PROPERTIES "org.freedesktop.DBus.Properties"

const Option backend_watch_options[] = {
    {OPT_JSON, 'j', "json", NULL, "print JSON, an object a line"},
    OPTIONS_END,
};

typedef struct Watch {
    sd_bus *bus; /* not owned */
    sd_event *event;
    cJSON *names;  /* owned; NULL: all */
    cJSON *states; /* what was last said of each, by name */
    bool as_json;
    bool asking;  /* for the list of them: an answer is to come */
    bool started; /* there was an answer before */
    bool done;
    int result; /* 0 or -errno, once it is done */
} Watch;

static int finish(Watch *w, int r) {
    w->done = true;
    w->result = r;
    return 0;
}

static bool is_wanted(const Watch *w, const char *name) {
    const cJSON *item;

    if (!w->names)
        return true;
    cJSON_ArrayForEach (item, w->names)
        if (streq(item->valuestring, name))
            return true;
    return false;
}

static void tell(const Watch *w, BackendNews news) {
    backend_news_print(&news, w->as_json);
}

/* ---- the state ---- */

/* Whether it is another than was said last; it is remembered. */
static bool remember(Watch *w, const char *name, const char *text) {
    const char *before = json_string(w->states, name);

    if (streq(before, text))
        return false;
    cJSON_DeleteItemFromObjectCaseSensitive(w->states, name);
    cJSON_AddStringToObject(w->states, name, text);
    return true;
}

static void tell_state(Watch *w, const char *name, const cJSON *backend) {
    const char *state = json_string(backend, "state"), *reason = backend_reason(backend);
    _cleanup_free_ char *text = NULL;

    if (asprintf(&text, "%s%s%s%s", state, *reason ? " (" : "", reason, *reason ? ")" : "") < 0)
        text = NULL;
    if (!remember(w, name, must(text)))
        return;
    cJSON *object = must(cJSON_CreateObject());
    cJSON_AddStringToObject(object, "state", state);
    cJSON_AddStringToObject(object, "reason", reason);
    tell(w, (BackendNews){name, "state", text, object});
}

static int on_properties(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    _cleanup_json_ cJSON *backend = NULL;
    Watch *w = userdata;

    /* It has gone, or the daemon has: both are told otherwise. */
    if (sd_bus_message_is_method_error(reply, NULL))
        return 0;
    int r = client_read_properties(reply, &backend);
    if (r < 0)
        return finish(w, r);
    tell_state(w, json_string(backend, "name"), backend);
    return 0;
}

static int ask_state(Watch *w, const char *name) {
    _cleanup_free_ char *path = backend_path(name);

    return sd_bus_call_method_async(w->bus, NULL, CLIENT_NAME, path, PROPERTIES, "GetAll",
                                    on_properties, w, "s", CLIENT_BACKEND);
}

/* State and reason may come one by one: both are asked for. */
static int on_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    _cleanup_free_ char *name = backend_name(sd_bus_message_get_path(m));
    _cleanup_json_ cJSON *changed = NULL;
    Watch *w = userdata;
    const char *interface;

    if (!name || sd_bus_message_read(m, "s", &interface) < 0 || !streq(interface, CLIENT_BACKEND) ||
        json_read_bus(m, &changed) < 0)
        return 0;
    if (cJSON_HasObjectItem(changed, "State") || cJSON_HasObjectItem(changed, "Reason"))
        ask_state(w, name);
    return 0;
}

/* ---- what backends tell ---- */

static int on_online(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    _cleanup_free_ char *name = backend_name(sd_bus_message_get_path(m));
    Watch *w = userdata;
    int online;

    if (!name || sd_bus_message_read(m, "b", &online) < 0)
        return 0;
    cJSON *object = must(cJSON_CreateObject());
    cJSON_AddBoolToObject(object, "online", online);
    tell(w, (BackendNews){name, "check", online ? "online" : "not online", object});
    return 0;
}

static int on_status(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    _cleanup_free_ char *name = backend_name(sd_bus_message_get_path(m));
    Watch *w = userdata;
    const char *json;

    if (!name || sd_bus_message_read(m, "s", &json) < 0)
        return 0;
    cJSON *object = must(cJSON_CreateObject());
    cJSON_AddItemToObject(object, "status", json_new_embedded(json));
    tell(w, (BackendNews){name, "status", json, object});
    return 0;
}

static int on_updated(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    _cleanup_free_ char *name = backend_name(sd_bus_message_get_path(m)), *text = NULL;
    Watch *w = userdata;
    const char *path, *json;

    if (!name || sd_bus_message_read(m, "ss", &path, &json) < 0)
        return 0;
    if (asprintf(&text, "%s %s", path, json) < 0)
        text = NULL;
    cJSON *object = must(cJSON_CreateObject());
    cJSON_AddStringToObject(object, "path", path);
    cJSON_AddItemToObject(object, "data", json_new_embedded(json));
    tell(w, (BackendNews){name, "updated", must(text), object});
    return 0;
}

static int on_error(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    _cleanup_free_ char *name = backend_name(sd_bus_message_get_path(m));
    Watch *w = userdata;
    const char *message;

    if (!name || sd_bus_message_read(m, "s", &message) < 0)
        return 0;
    cJSON *object = must(cJSON_CreateObject());
    cJSON_AddStringToObject(object, "message", message);
    tell(w, (BackendNews){name, "error", message, object});
    return 0;
}

/* ---- which there are ---- */

static void tell_gone(Watch *w, const char *name) {
    cJSON_DeleteItemFromObjectCaseSensitive(w->states, name);
    tell(w, (BackendNews){name, "removed", NULL, NULL});
}

static int on_added(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    const char *name, *path;
    Watch *w = userdata;

    if (sd_bus_message_read(m, "so", &name, &path) < 0 || !is_wanted(w, name))
        return 0;
    tell(w, (BackendNews){name, "added", NULL, NULL});
    /* Its first check may have come before this, which waits for the disk. */
    cJSON_DeleteItemFromObjectCaseSensitive(w->states, name);
    ask_state(w, name);
    return 0;
}

static int on_removed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    const char *name, *path;
    Watch *w = userdata;

    if (sd_bus_message_read(m, "so", &name, &path) >= 0 && is_wanted(w, name))
        tell_gone(w, name);
    return 0;
}

/* Names that were given, or known before, and are not in the list. 0, or -ENOENT at the beginning:
 * who mistypes a name would wait for ever. */
static int look_for_absent(Watch *w, const cJSON *there) {
    const cJSON *name;

    cJSON_ArrayForEach (name, w->names) {
        if (cJSON_HasObjectItem(there, name->valuestring) || w->started)
            continue;
        print_error("there is no backend \"%s\"; \"longrun backend list\" shows those that there "
                    "are",
                    name->valuestring);
        return -ENOENT;
    }
    for (const cJSON *known = w->states->child, *next; known; known = next) {
        next = known->next;
        if (!cJSON_HasObjectItem(there, known->string)) {
            _cleanup_free_ char *gone = must(strdup(known->string));
            tell_gone(w, gone);
        }
    }
    return 0;
}

static int read_list(Watch *w, sd_bus_message *reply, cJSON *there) {
    const char *name, *path;
    int r = sd_bus_message_enter_container(reply, 'a', "(so)");

    while (r >= 0 && (r = sd_bus_message_read(reply, "(so)", &name, &path)) > 0) {
        if (!is_wanted(w, name))
            continue;
        cJSON_AddTrueToObject(there, name);
        r = ask_state(w, name);
    }
    return r < 0 ? client_report(NULL, r) : 0;
}

static int on_list(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    _cleanup_json_ cJSON *there = must(cJSON_CreateObject());
    Watch *w = userdata;

    w->asking = false;
    if (!reply)
        return finish(w, -ENOTCONN);
    if (sd_bus_message_is_method_error(reply, NULL))
        return finish(
            w, client_report(sd_bus_message_get_error(reply), -sd_bus_message_get_errno(reply)));
    int r = read_list(w, reply, there);
    if (r == 0)
        r = look_for_absent(w, there);
    w->started = true;
    return r < 0 ? finish(w, r) : 0;
}

static int ask_list(Watch *w) {
    _cleanup_message_ sd_bus_message *call = NULL;
    int r;

    if (w->asking)
        return 0;
    w->asking = true;
    r = client_new_call(w->bus, "ListBackends", &call);
    return r < 0 ? r : client_ask_async(w->bus, call, 0, on_list, w);
}

/* ---- all ---- */

/* Of a daemon that has gone, the question brings back another, which then is asked what has changed
 * meanwhile. */
static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    Watch *w = userdata;
    int r = ask_list(w);

    return r < 0 ? finish(w, r) : 0;
}

/* Nobody reads any more: go as if we had written, rather than wait for the next line. */
static int on_reader_gone(sd_event_source *source, int fd, uint32_t events, void *userdata) {
    raise(SIGPIPE);
    return finish(userdata, -EPIPE);
}

static int match(Watch *w, const char *interface, const char *member, const char *path,
                 sd_bus_message_handler_t callback) {
    _cleanup_free_ char *rule = NULL;

    if (asprintf(&rule, "type='signal',sender='" CLIENT_NAME "',interface='%s',member='%s',%s='%s'",
                 interface, member, path ? "path" : "path_namespace",
                 path ?: CLIENT_ROOT "/backend") < 0)
        return -ENOMEM;
    return sd_bus_add_match_async(w->bus, NULL, rule, callback, NULL, w);
}

/* Of one backend, or, with NULL, of all: the bus hands on what is wanted alone. */
static int match_backend(Watch *w, const char *path) {
    int r = match(w, CLIENT_BACKEND, "BackendOnline", path, on_online);

    if (r >= 0)
        r = match(w, CLIENT_BACKEND, "StatusUpdated", path, on_status);
    if (r >= 0)
        r = match(w, CLIENT_BACKEND, "Updated", path, on_updated);
    if (r >= 0)
        r = match(w, CLIENT_BACKEND, "Error", path, on_error);
    return r < 0 ? r : match(w, PROPERTIES, "PropertiesChanged", path, on_changed);
}

static int subscribe(Watch *w) {
    const cJSON *name;
    int r = 0;

    cJSON_ArrayForEach (name, w->names) {
        _cleanup_free_ char *path = backend_path(name->valuestring);
        if (r >= 0)
            r = match_backend(w, path);
    }
    if (!w->names)
        r = match_backend(w, NULL);
    if (r >= 0)
        r = match(w, CLIENT_MANAGER, "BackendAdded", CLIENT_ROOT, on_added);
    if (r >= 0)
        r = match(w, CLIENT_MANAGER, "BackendRemoved", CLIENT_ROOT, on_removed);
    if (r < 0)
        return r;
    return sd_bus_add_match_async(w->bus, NULL,
                                  "type='signal',sender='org.freedesktop.DBus',"
                                  "member='NameOwnerChanged',arg0='" CLIENT_NAME "'",
                                  on_owner_changed, NULL, w);
}

static int begin(Watch *w) {
    int r = client_watch_reader(w->event, on_reader_gone, w);

    if (r >= 0)
        r = sd_bus_attach_event(w->bus, w->event, SD_EVENT_PRIORITY_NORMAL);
    /* The bus handles what one client sends in order: the signals are ours before the daemon is
     * asked what there is. */
    if (r >= 0)
        r = subscribe(w);
    return r < 0 ? client_report(NULL, r) : ask_list(w);
}

static int watch(Watch *w) {
    int r = sd_event_new(&w->event);

    if (r < 0)
        return print_error("%s", strerror(-r));
    r = begin(w);
    if (r >= 0)
        r = client_loop(w->event, &w->done);
    if (r >= 0)
        r = w->result;
    sd_bus_detach_event(w->bus);
    sd_event_unref(w->event);
    return r;
}

int cmd_backend_watch(const Invocation *inv) {
    bool all = inv->n_args == 1 && streq(inv->args[0], "all");
    _cleanup_json_ cJSON *names = all ? NULL : backend_names_given(inv);
    _cleanup_json_ cJSON *states = must(cJSON_CreateObject());
    _cleanup_bus_ sd_bus *bus = NULL;
    Watch w = {.names = names, .states = states, .as_json = invocation_has(inv, OPT_JSON)};

    if (!all && !names)
        return EXIT_FAILURE;
    int r = client_connect(&bus);
    if (r < 0)
        return r;
    w.bus = bus;
    return watch(&w);
}
