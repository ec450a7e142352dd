#include "daemon/bus/parked-calls.h"

#include <errno.h>
#include <stdlib.h>

typedef struct ParkedCall {
    sd_bus_message *message;
    TAILQ_ENTRY(ParkedCall) link;
} ParkedCall;

void parked_calls_init(ParkedCalls *p, size_t max, size_t *total) {
    TAILQ_INIT(&p->calls);
    p->n = 0;
    p->max = max;
    p->total = total;
}

void parked_calls_done(ParkedCalls *p) {
    for (sd_bus_message *m; (m = parked_calls_take(p));)
        sd_bus_message_unref(m);
}

int parked_calls_add(ParkedCalls *p, sd_bus_message *call) {
    ParkedCall *c;

    if (p->n >= p->max || *p->total >= PARKED_CALLS_MAX)
        return -ENOBUFS;
    c = malloc(sizeof(ParkedCall));
    if (!c)
        return -ENOMEM;
    c->message = sd_bus_message_ref(call);
    TAILQ_INSERT_TAIL(&p->calls, c, link);
    p->n++;
    (*p->total)++;
    return 0;
}

sd_bus_message *parked_calls_take(ParkedCalls *p) {
    ParkedCall *c = TAILQ_FIRST(&p->calls);
    sd_bus_message *m;

    if (!c)
        return NULL;
    m = c->message;
    TAILQ_REMOVE(&p->calls, c, link);
    p->n--;
    (*p->total)--;
    free(c);
    return m;
}

bool parked_calls_pass(ParkedCalls *p, const sd_bus_message *call) {
    ParkedCall *c;
    bool found = false;

    TAILQ_FOREACH (c, &p->calls, link)
        if (c->message == call)
            break;
    for (sd_bus_message *m; c && !found && (m = parked_calls_take(p));) {
        found = m == call;
        sd_bus_message_unref(m);
    }
    return found;
}
