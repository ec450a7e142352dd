#include "daemon/bus/bus-backend-call.h"

#include <errno.h>

#include "daemon/bus/bus-error.h"
#include "daemon/bus/bus-message.h"

static size_t count_of(const Bus *b, const Backend *backend) {
    const BusBackendCall *c;
    size_t n = 0;

    LIST_FOREACH (c, &b->backend_calls, link)
        n += c->backend == backend;
    return n;
}

static int too_many(sd_bus_error *error, size_t n, const char *whom) {
    return sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                             "%zu calls wait for %s already: wait for answers before you send more",
                             n, whom);
}

int bus_backend_call_new(BusBackendCall **ret, Bus *b, sd_bus_message *call, const Backend *backend,
                         sd_bus_error *error) {
    size_t n = count_of(b, backend);

    if (b->n_backend_calls >= BUS_BACKEND_CALLS_ALL)
        return too_many(error, b->n_backend_calls, "backends");
    if (n >= BUS_BACKEND_CALLS_EACH)
        return too_many(error, n, "this backend");
    BusBackendCall *c = malloc(sizeof(BusBackendCall));
    if (!c)
        return -ENOMEM;
    *c = (BusBackendCall){.bus = b, .call = sd_bus_message_ref(call), .backend = backend};
    LIST_INSERT_HEAD(&b->backend_calls, c, link);
    b->n_backend_calls++;
    *ret = c;
    return 0;
}

BusBackendCall *bus_backend_call_free(BusBackendCall *c) {
    if (!c)
        return NULL;
    LIST_REMOVE(c, link);
    c->bus->n_backend_calls--;
    sd_bus_message_unref(c->call);
    free(c);
    return NULL;
}

void bus_backend_calls_forget(Bus *b) {
    for (BusBackendCall *c; (c = LIST_FIRST(&b->backend_calls));)
        bus_backend_call_free(c);
}

int bus_backend_call_begun(BusBackendCall *c, int r, const Error *error, sd_bus_error *ret_error) {
    if (r >= 0)
        return 1;
    bus_backend_call_free(c);
    if (r == -ENOBUFS)
        return sd_bus_error_setf(ret_error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                 "Too many requests are under way already: wait for answers before "
                                 "you send more");
    return bus_error_from(ret_error, r, error);
}

static int reply(BusBackendCall *c, BusBackendAppend append, const void *data) {
    _cleanup_message_ sd_bus_message *m = NULL;
    int r = sd_bus_message_new_method_return(c->call, &m);

    if (r >= 0 && append)
        r = append(m, data);
    return r < 0 ? r : sd_bus_send(NULL, m, NULL);
}

void bus_backend_call_end(BusBackendCall *c, const Error *error, BusBackendAppend append,
                          const void *data) {
    _cleanup_(sd_bus_error_free) sd_bus_error e = {};
    bool failed = error && error->code != ERROR_NONE;
    int r = c->bus->is_quiet ? 0
            : failed         ? bus_error_from(&e, -EREMOTE, error)
                             : reply(c, append, data);

    if (r < 0)
        bus_reply_error(c->call, r, &e);
    bus_backend_call_free(c);
}
