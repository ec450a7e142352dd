#include "daemon/bus/bus-reply.h"

#include <errno.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "daemon/bus/bus-message.h"

typedef struct PendingReply {
    sd_bus_message *call, *reply;
} PendingReply;

static void on_committed(void *arg, int error) {
    PendingReply *p = arg;
    int r;

    if (error < 0)
        r = sd_bus_reply_method_errorf(p->call, "org.longrun.Longrun1.Error.Storage",
                                       "The state could not be written, nothing has been "
                                       "changed: %s",
                                       strerror(-error));
    else
        r = sd_bus_send(NULL, p->reply, NULL);
    if (r < 0 && !bus_is_gone(r))
        log_warning_errno(r, "Cannot reply to a call, ignoring");
    sd_bus_message_unref(p->call);
    sd_bus_message_unref(p->reply);
    free(p);
}

int bus_reply_when_committed(Bus *b, sd_bus_message *call, sd_bus_message *reply) {
    PendingReply *p = malloc(sizeof(PendingReply));
    int r;

    if (!p) {
        sd_bus_message_unref(reply);
        return -ENOMEM;
    }
    *p = (PendingReply){.call = sd_bus_message_ref(call), .reply = reply};
    r = b->api->when_committed(b->api_userdata, on_committed, p);
    if (r < 0)
        on_committed(p, r);
    return 1;
}
