#include "daemon/bus/bus-backend.h"

#include <errno.h>

#include "common/cleanup.h"
#include "common/text.h"
#include "daemon/bus/bus-backend-call.h"
#include "daemon/bus/bus-backend-emit.h"
#include "daemon/bus/bus-backend-settings.h"
#include "daemon/bus/bus-error.h"
#include "daemon/bus/bus-message.h"
#include "daemon/bus/bus-messenger.h"
#include "daemon/bus/bus-reply.h"

#define BODY_MAX (8 * MIB)

/* Objects that Introspect of the parent names, and all that there can be. */
#define ENUMERATED_MAX BACKENDS_MAX

/* ---- which one ---- */

Backend *bus_backend_of_path(const Bus *b, const char *path) {
    _cleanup_free_ char *name = NULL;

    if (sd_bus_path_decode(path, LONGRUN_BACKEND_PATH, &name) <= 0)
        return NULL;
    return b->api->backends->find(b->api_userdata, name);
}

Backend *bus_backend_of_call(const Bus *b, sd_bus_message *m) {
    return bus_backend_of_path(b, sd_bus_message_get_path(m));
}

/* ---- methods ---- */

static int append_flag(sd_bus_message *m, const void *data) {
    int flag = *(const bool *)data;

    return sd_bus_message_append_basic(m, 'b', &flag);
}

/* That it is offline is what was asked for, and no error of the call. */
static void on_checked(void *arg, bool online, const Error *error) {
    bool says_so =
        error && (error->code == ERROR_BACKEND_OFFLINE || error->code == ERROR_BACKEND_FAILED);

    bus_backend_call_end(arg, says_so ? NULL : error, append_flag, &online);
}

static int method_check_status(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    Bus *b = userdata;
    Backend *backend = bus_backend_of_call(b, m);
    BusBackendCall *c;
    int r = bus_backend_call_new(&c, b, m, backend, ret_error);

    if (r < 0)
        return r;
    r = b->api->backends->check(b->api_userdata, backend, on_checked, c, &error);
    return bus_backend_call_begun(c, r, &error, ret_error);
}

static void on_polled(void *arg, const Error *error) {
    bus_backend_call_end(arg, error, NULL, NULL);
}

static int method_poll(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    Bus *b = userdata;
    Backend *backend = bus_backend_of_call(b, m);
    BusBackendCall *c;
    int r = bus_backend_call_new(&c, b, m, backend, ret_error);

    if (r < 0)
        return r;
    r = b->api->backends->poll(b->api_userdata, backend, on_polled, c, &error);
    return bus_backend_call_begun(c, r, &error, ret_error);
}

static int set_polling(Bus *b, sd_bus_message *m, bool on, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    int r = b->api->backends->set_polling(b->api_userdata, bus_backend_of_call(b, m), on, &error);

    return r < 0 ? bus_error_from(ret_error, r, &error) : bus_reply_nothing(b, m);
}

static int method_start_polling(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    return set_polling(userdata, m, true, ret_error);
}

static int method_stop_polling(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    return set_polling(userdata, m, false, ret_error);
}

typedef struct Answer {
    unsigned http_status;
    const char *body;
} Answer;

static int append_answer(sd_bus_message *m, const void *data) {
    const Answer *a = data;

    return sd_bus_message_append(m, "us", (uint32_t)a->http_status, a->body);
}

static void on_answered(void *arg, unsigned http_status, const char *body, const Error *error) {
    _cleanup_error_ Error no_text = {};
    Answer a = {.http_status = http_status, .body = strempty(body)};

    if (!utf8_is_valid(a.body)) {
        (void)error_set(&no_text, ERROR_BACKEND_FAILED,
                        "HTTP %u with a body that is no UTF-8 text: ask for it without Longrun",
                        http_status);
        error = &no_text;
    }
    bus_backend_call_end(arg, error, append_answer, &a);
}

static int method_request(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    Bus *b = userdata;
    Backend *backend = bus_backend_of_call(b, m);
    const char *method, *path, *body;
    BusBackendCall *c;
    int r = sd_bus_message_read(m, "sss", &method, &path, &body);

    if (r < 0)
        return r;
    if (strlen(body) > BODY_MAX) {
        r = error_set(&error, ERROR_INVALID_OPTION,
                      "The body has %zu bytes: Request takes at most %u MiB", strlen(body),
                      (unsigned)(BODY_MAX / MIB));
        return bus_error_from(ret_error, r, &error);
    }
    r = bus_backend_call_new(&c, b, m, backend, ret_error);
    if (r < 0)
        return r;
    r = b->api->backends->request(b->api_userdata, backend, method, path, body, on_answered, c,
                                  &error);
    return bus_backend_call_begun(c, r, &error, ret_error);
}

/* ---- properties ---- */

static int get_text(sd_bus *bus, const char *path, const char *interface, const char *property,
                    sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    const Backend *b = bus_backend_of_path(userdata, path);

    if (!b)
        return -ENOENT;
    const struct {
        const char *property, *text;
    } texts[] = {
        {"Name", b->name},
        {"Origin", b->origin},
        {"Url", b->settings->url},
        {"Type", b->settings->type},
        {"State", backend_state_to_string(b->state)},
        {"Reason", b->reason},
        {"LastError", b->last_error},
        {"Status", bus_backend_json(b->status)},
    };
    for (size_t i = 0; i < ELEMENTSOF(texts); i++)
        if (streq(property, texts[i].property)) {
            _cleanup_free_ char *clean = NULL;
            const char *text = strempty(texts[i].text);
            if (!utf8_is_valid(text))
                text = strempty(clean = text_clean(text, strlen(text), KIB));
            return sd_bus_message_append_basic(reply, 's', text);
        }
    return -ENOENT;
}

static int get_number(sd_bus *bus, const char *path, const char *interface, const char *property,
                      sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    const Backend *b = bus_backend_of_path(userdata, path);

    if (!b)
        return -ENOENT;
    const struct {
        const char *property;
        uint64_t number;
    } numbers[] = {
        {"StatusInterval", b->settings->status_interval_usec},
        {"PollInterval", b->settings->poll_interval_usec},
        {"LastUpdate", b->last_update},
        {"Latency", b->latency_usec},
        {"NextCheck", b->next_check},
    };
    for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
        if (streq(property, numbers[i].property))
            return sd_bus_message_append_basic(reply, 't', &numbers[i].number);
    return -ENOENT;
}

static int get_polling(sd_bus *bus, const char *path, const char *interface, const char *property,
                       sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    const Backend *b = bus_backend_of_path(userdata, path);
    int flag = b && b->polling;

    return b ? sd_bus_message_append_basic(reply, 'b', &flag) : -ENOENT;
}

static int get_settings(sd_bus *bus, const char *path, const char *interface, const char *property,
                        sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    const Backend *b = bus_backend_of_path(userdata, path);

    return b ? bus_backend_settings_append(reply, b->settings) : -ENOENT;
}

/* clang-format off */
static const sd_bus_vtable backend_vtable[] = {
    SD_BUS_VTABLE_START(0),

    SD_BUS_METHOD_WITH_ARGS("CheckStatus", SD_BUS_NO_ARGS, SD_BUS_RESULT("b", online),
                            method_check_status, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Poll", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT,
                            method_poll, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("StartPolling", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT,
                            method_start_polling, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("StopPolling", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT,
                            method_stop_polling, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Request",
                            SD_BUS_ARGS("s", method, "s", path, "s", body),
                            SD_BUS_RESULT("u", http_status, "s", response),
                            method_request, SD_BUS_VTABLE_UNPRIVILEGED),

    SD_BUS_PROPERTY("Name", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Origin", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Url", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Type", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("State", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Reason", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Polling", "b", get_polling, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("StatusInterval", "t", get_number, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("PollInterval", "t", get_number, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Settings", "a{sv}", get_settings, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("LastUpdate", "t", get_number, 0, 0),
    SD_BUS_PROPERTY("LastError", "s", get_text, 0, 0),
    SD_BUS_PROPERTY("Latency", "t", get_number, 0, 0),
    SD_BUS_PROPERTY("NextCheck", "t", get_number, 0, 0),
    SD_BUS_PROPERTY("Status", "s", get_text, 0, 0),

    SD_BUS_SIGNAL_WITH_ARGS("BackendOnline", SD_BUS_ARGS("b", online), 0),
    SD_BUS_SIGNAL_WITH_ARGS("StatusUpdated", SD_BUS_ARGS("s", json), 0),
    SD_BUS_SIGNAL_WITH_ARGS("Updated", SD_BUS_ARGS("s", path, "s", json), 0),
    SD_BUS_SIGNAL_WITH_ARGS("Error", SD_BUS_ARGS("s", message), 0),

    SD_BUS_VTABLE_END
};
/* clang-format on */

/* ---- objects ---- */

static int find_backend(sd_bus *bus, const char *path, const char *interface, void *userdata,
                        void **ret_found, sd_bus_error *error) {
    if (!bus_backend_of_path(userdata, path))
        return 0;
    *ret_found = userdata;
    return 1;
}

/* Comes before everything else that handles a call of an object below: what is not there is
 * answered with words that help. */
static int on_backend_call(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    _cleanup_free_ char *name = NULL;
    const char *interface = sd_bus_message_get_interface(m), *path = sd_bus_message_get_path(m);
    Bus *b = userdata;
    int r = sd_bus_path_decode(path, LONGRUN_BACKEND_PATH, &name);

    if (r <= 0 || streq(path, LONGRUN_BACKEND_PATH))
        return MIN(r, 0);
    const Backend *backend = b->api->backends->find(b->api_userdata, name);
    if (!backend)
        r = error_set(&error, ERROR_NO_SUCH_BACKEND,
                      "There is no backend \"%.100s\": ListBackends, or \"longrun backend list\", "
                      "lists those that there are",
                      name);
    else if (interface && streq(interface, LONGRUN_MESSENGER_INTERFACE) &&
             !streq(backend->settings->type, BACKEND_TYPE_MESSENGER))
        r = error_set(&error, ERROR_INVALID_OPTION,
                      "Backend %s is of type %s: only those of type " BACKEND_TYPE_MESSENGER
                      " have friends and messages",
                      backend->name, backend->settings->type);
    else
        return 0;
    return bus_error_from(ret_error, r, &error);
}

static int enumerate_backends(sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes,
                              sd_bus_error *error) {
    Bus *b = userdata;
    char **nodes = calloc(ENUMERATED_MAX + 1, sizeof(char *));
    size_t n = 0;

    if (!nodes)
        return -ENOMEM;
    for (const Backend *i = NULL;
         n < ENUMERATED_MAX && (i = b->api->backends->next(b->api_userdata, i));) {
        nodes[n] = bus_backend_path(i->name);
        n += nodes[n] != NULL;
    }
    *ret_nodes = nodes; /* sd-bus frees it */
    return 0;
}

int bus_backend_export(Bus *b) {
    int r = sd_bus_add_fallback_vtable(b->bus, &b->backend_slots[0], LONGRUN_BACKEND_PATH,
                                       LONGRUN_BACKEND_INTERFACE, backend_vtable, find_backend, b);

    if (r >= 0)
        r = bus_messenger_export(b);
    if (r >= 0)
        r = sd_bus_add_fallback(b->bus, &b->backend_slots[2], LONGRUN_BACKEND_PATH, on_backend_call,
                                b);
    if (r >= 0)
        r = sd_bus_add_node_enumerator(b->bus, &b->backend_slots[3], LONGRUN_BACKEND_PATH,
                                       enumerate_backends, b);
    return r;
}
