#include "daemon/bus/bus-later.h"

#include <errno.h>

#include "common/cleanup.h"
#include "daemon/bus/bus-error.h"

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

void bus_later_end(BusLater *l, int r, sd_bus_error *error) {
    if (r < 0)
        bus_reply_error(l->call, r, error);
    sd_bus_error_free(error);
    bus_later_free(l);
}
