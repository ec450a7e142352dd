#include <errno.h>

#include "common/cleanup.h"
#include "daemon/bus/bus-backend-emit.h"
#include "daemon/bus/bus-backend-settings.h"
#include "daemon/bus/bus-backend.h"
#include "daemon/bus/bus-error.h"
#include "daemon/bus/bus-message.h"
#include "daemon/bus/bus-reply.h"

/* Methods of the Manager: which backends there are. */

DEFINE_CLEANUP(BackendSettings *, backend_settings_free)

static int read_added(sd_bus_message *m, const char **ret_name, BackendSettings **ret,
                      Error *error) {
    _cleanup_(backend_settings_freep) BackendSettings *s = backend_settings_new();
    int r = s ? sd_bus_message_read_basic(m, 's', ret_name) : -ENOMEM;

    if (r >= 0)
        r = bus_backend_settings_read(m, s, error);
    if (r >= 0)
        *ret = TAKE_PTR(s);
    return r;
}

static int reply_added(Bus *b, sd_bus_message *m, const char *name) {
    _cleanup_message_ sd_bus_message *reply = NULL;
    _cleanup_free_ char *path = bus_backend_path(name);
    int r = path ? sd_bus_message_new_method_return(m, &reply) : -ENOMEM;

    if (r >= 0)
        r = sd_bus_message_append_basic(reply, 'o', path);
    return r < 0 ? r : bus_reply_when_committed(b, m, TAKE_PTR(reply));
}

int bus_method_add_backend(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    BackendSettings *settings;
    Bus *b = userdata;
    const char *name;
    int r = read_added(m, &name, &settings, &error);

    if (r >= 0)
        r = b->api->backends->add(b->api_userdata, name, settings, &error);
    return r < 0 ? bus_error_from(ret_error, r, &error) : reply_added(b, m, name);
}

int bus_method_remove_backend(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    Bus *b = userdata;
    const char *name;
    int r = sd_bus_message_read_basic(m, 's', &name);

    if (r >= 0)
        r = b->api->backends->remove(b->api_userdata, name, &error);
    return r < 0 ? bus_error_from(ret_error, r, &error) : bus_reply_nothing(b, m);
}

static int append_backend(sd_bus_message *m, const Backend *b) {
    _cleanup_free_ char *path = bus_backend_path(b->name);

    return path ? sd_bus_message_append(m, "(so)", b->name, path) : -ENOMEM;
}

int bus_method_list_backends(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_message_ sd_bus_message *reply = NULL;
    Bus *b = userdata;
    int r = sd_bus_message_new_method_return(m, &reply);

    if (r >= 0)
        r = sd_bus_message_open_container(reply, 'a', "(so)");
    for (const Backend *i = NULL; r >= 0 && (i = b->api->backends->next(b->api_userdata, i));)
        r = append_backend(reply, i);
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}
