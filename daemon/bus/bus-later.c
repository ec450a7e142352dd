#include "daemon/bus/bus-later.h"

#include <errno.h>

#include "common/cleanup.h"
#include "daemon/bus/bus-error.h"
#include "daemon/bus/bus-options.h"

int bus_later_new(BusLater **ret, Bus *b, sd_bus_message *call, void *data, sd_bus_error *error) {
    BusLater *l;

    if (b->n_later >= BUS_LATER_MAX)
        return sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                 "%d calls wait for the disk already: wait for answers before you "
                                 "send more",
                                 BUS_LATER_MAX);
    l = malloc(sizeof(BusLater));
    if (!l)
        return -ENOMEM;
    *l = (BusLater){.bus = b, .call = sd_bus_message_ref(call), .data = data};
    LIST_INSERT_HEAD(&b->later, l, link);
    b->n_later++;
    *ret = l;
    return 0;
}

BusLater *bus_later_free(BusLater *l) {
    if (!l)
        return NULL;
    LIST_REMOVE(l, link);
    l->bus->n_later--;
    sd_bus_message_unref(l->call);
    free(l->data);
    free(l);
    return NULL;
}

int bus_later_filtered(Bus *b, sd_bus_message *m, int (*check)(TaskFilter *filter, Error *error),
                       int (*begin)(BusLater *l, const TaskFilter *filter), const char *failure,
                       sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    TaskFilter filter;
    BusLater *l;
    int r = bus_filter_read(m, &filter, NULL, &error);

    if (r >= 0 && check)
        r = check(&filter, &error);
    if (r < 0)
        return bus_error_from(ret_error, r, &error);
    r = bus_later_new(&l, b, m, NULL, ret_error);
    if (r < 0)
        return r;
    r = begin(l, &filter);
    if (r >= 0)
        return 1;
    bus_later_free(l);
    return bus_error_storage(ret_error, r, failure);
}

void bus_later_end(BusLater *l, int r, sd_bus_error *error) {
    if (r < 0)
        bus_reply_error(l->call, r, error);
    sd_bus_error_free(error);
    bus_later_free(l);
}
