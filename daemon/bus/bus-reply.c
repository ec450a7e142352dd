#include "daemon/bus/bus-reply.h"

#include <errno.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "daemon/bus/bus-error.h"
#include "daemon/bus/bus-message.h"

typedef struct PendingReply {
    sd_bus_message *call, *reply;
    bool is_start;
    LIST_ENTRY(PendingReply) link; /* the Bus has them all */
} PendingReply;

static void pending_reply_free(PendingReply *p) {
    LIST_REMOVE(p, link);
    sd_bus_message_unref(p->call);
    sd_bus_message_unref(p->reply);
    free(p);
}

void bus_replies_forget(Bus *b) {
    for (PendingReply *p; (p = LIST_FIRST(&b->replies));)
        pending_reply_free(p);
}

static int not_safe(sd_bus_error *ret, int error) {
    return sd_bus_error_setf(ret, BUS_ERROR_STORAGE,
                             "The change is made, but it is not on disk yet: %s. It is lost if "
                             "longrund ends before it can be written. %s; it is written then",
                             strerror(-error), bus_storage_advice(error));
}

static void reply_not_committed(const PendingReply *p, int error) {
    _cleanup_(sd_bus_error_free) sd_bus_error e = {};
    int r = p->is_start ? bus_error_storage(&e, error,
                                            "Nothing was started, for it could not be written to "
                                            "disk")
                        : not_safe(&e, error);

    bus_reply_error(p->call, r, &e);
}

static void on_committed(void *arg, int error) {
    PendingReply *p = arg;

    if (error < 0)
        reply_not_committed(p, error);
    else {
        int r = sd_bus_send(NULL, p->reply, NULL);
        if (r < 0 && !bus_is_gone(r))
            log_warning_errno(r, "Cannot reply to a call, ignoring");
    }
    pending_reply_free(p);
}

static int reply_later(Bus *b, sd_bus_message *call, sd_bus_message *reply, bool is_start) {
    PendingReply *p = malloc(sizeof(PendingReply));
    int r;

    if (!p) {
        sd_bus_message_unref(reply);
        return -ENOMEM;
    }
    *p = (PendingReply){.call = sd_bus_message_ref(call), .reply = reply, .is_start = is_start};
    LIST_INSERT_HEAD(&b->replies, p, link);
    r = b->api->when_committed(b->api_userdata, on_committed, p);
    if (r < 0) {
        p->is_start = false; /* nobody withdraws it */
        on_committed(p, r);
    }
    return 1;
}

int bus_reply_when_started(Bus *b, sd_bus_message *call, sd_bus_message *reply) {
    return reply_later(b, call, reply, true);
}

int bus_reply_when_committed(Bus *b, sd_bus_message *call, sd_bus_message *reply) {
    return reply_later(b, call, reply, false);
}

int bus_reply_number(Bus *b, sd_bus_message *call, uint32_t number) {
    _cleanup_message_ sd_bus_message *reply = NULL;
    int r = sd_bus_message_new_method_return(call, &reply);

    if (r >= 0)
        r = sd_bus_message_append_basic(reply, 'u', &number);
    return r < 0 ? r : bus_reply_when_committed(b, call, TAKE_PTR(reply));
}

int bus_reply_nothing(Bus *b, sd_bus_message *call) {
    sd_bus_message *reply;
    int r = sd_bus_message_new_method_return(call, &reply);

    return r < 0 ? r : bus_reply_when_committed(b, call, reply);
}
