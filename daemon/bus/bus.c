#include "daemon/bus/bus.h"

#include <errno.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "daemon/bus/bus-backend-call.h"
#include "daemon/bus/bus-later.h"
#include "daemon/bus/bus-reply.h"
#include "daemon/bus/bus-stdin.h"

int bus_new(Bus **ret, sd_bus *bus, sd_event *event, const BusApi *api, void *api_userdata) {
    Bus *b = calloc(1, sizeof(Bus));
    int r;

    if (!b)
        return -ENOMEM;
    *b = (Bus){.bus = bus, .api = api, .api_userdata = api_userdata};
    LIST_INIT(&b->later);
    LIST_INIT(&b->replies);
    LIST_INIT(&b->writes);
    LIST_INIT(&b->backend_calls);
    b->waits = bus_waits_new();
    b->recall = bus_recall_new(b);
    r = b->waits && b->recall ? bus_publisher_new(&b->publisher, bus, event, api, api_userdata)
                              : -ENOMEM;
    if (r >= 0)
        r = bus_peers_new(&b->peers, bus);
    if (r >= 0)
        r = bus_manager_export(b);
    if (r >= 0)
        r = bus_task_export(b);
    if (r >= 0)
        r = bus_backend_export(b);
    if (r < 0) {
        bus_free(b);
        return r;
    }
    *ret = b;
    return 0;
}

void bus_quiet(Bus *b) {
    b->is_quiet = true;
}

Bus *bus_free(Bus *b) {
    if (!b)
        return NULL;
    for (size_t i = 0; i < ELEMENTSOF(b->slots); i++)
        sd_bus_slot_unref(b->slots[i]);
    for (size_t i = 0; i < ELEMENTSOF(b->backend_slots); i++)
        sd_bus_slot_unref(b->backend_slots[i]);
    free(b->task_vtable);
    for (BusLater *l; (l = LIST_FIRST(&b->later));)
        bus_later_free(l);
    bus_replies_forget(b);
    bus_stdin_forget(b);
    bus_backend_calls_forget(b);
    bus_recall_free(b->recall);
    bus_peers_free(b->peers);
    bus_waits_free(b->waits);
    bus_publisher_free(b->publisher);
    free(b);
    return NULL;
}
