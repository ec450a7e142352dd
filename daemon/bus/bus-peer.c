#include "daemon/bus/bus-peer.h"

#include <errno.h>
#include <stdio.h>
#include <sys/queue.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/macro.h"
#include "daemon/bus/parked-calls.h"

/* Unique names are never used again, so what was found out about one holds; the last few are
 * enough. */
#define KNOWN_MAX 64
#define NAME_MAX_SIZE 32

/* A question to the bus: who is this sender? */
typedef struct Inquiry {
    BusPeers *peers; /* not owned */
    char sender[NAME_MAX_SIZE];
    sd_bus_slot *slot;
    ParkedCalls calls;
    TAILQ_ENTRY(Inquiry) link;
} Inquiry;

struct BusPeers {
    sd_bus *bus; /* not owned */
    sd_bus_slot *filter;
    char known[KNOWN_MAX][NAME_MAX_SIZE];
    size_t next;
    TAILQ_HEAD(, Inquiry) inquiries;
    size_t n_parked;
};

static bool is_known(const BusPeers *p, const char *sender) {
    for (size_t i = 0; i < KNOWN_MAX; i++)
        if (streq(p->known[i], sender))
            return true;
    return false;
}

static Inquiry *find_inquiry(const BusPeers *p, const char *sender) {
    Inquiry *q;

    TAILQ_FOREACH (q, &p->inquiries, link)
        if (streq(q->sender, sender))
            return q;
    return NULL;
}

static Inquiry *inquiry_free(Inquiry *q) {
    parked_calls_done(&q->calls);
    TAILQ_REMOVE(&q->peers->inquiries, q, link);
    sd_bus_slot_unref(q->slot);
    free(q);
    return NULL;
}

static void refuse(sd_bus_message *m) {
    (void)sd_bus_reply_method_errorf(m, "org.longrun.Longrun1.Error.NotPermitted",
                                     "Only user %u may use this daemon. Call longrund on the "
                                     "session bus of your own user",
                                     (unsigned)geteuid());
}

static int on_answer(sd_bus_message *answer, void *userdata, sd_bus_error *ret_error) {
    Inquiry *q = userdata;
    BusPeers *p = q->peers;
    bool gone = sd_bus_message_is_method_error(answer, NULL);
    uint32_t uid = UINT32_MAX;
    bool own = !gone && sd_bus_message_read_basic(answer, 'u', &uid) >= 0 && uid == geteuid();

    if (own)
        strcpy(p->known[p->next++ % KNOWN_MAX], q->sender);
    else if (!gone)
        log_notice("Refused calls of %s, which is user %u", q->sender, uid);
    for (sd_bus_message *m; (m = parked_calls_take(&q->calls));) {
        /* Known now, it passes the filter as if it came only now. */
        if (!own || sd_bus_enqueue_for_read(p->bus, m) < 0)
            refuse(m);
        sd_bus_message_unref(m);
    }
    inquiry_free(q);
    return 0;
}

static int ask(BusPeers *p, const char *sender, Inquiry **ret) {
    Inquiry *q = calloc(1, sizeof(Inquiry));
    int r;

    if (!q)
        return -ENOMEM;
    q->peers = p;
    strcpy(q->sender, sender);
    parked_calls_init(&q->calls, &p->n_parked);
    TAILQ_INSERT_TAIL(&p->inquiries, q, link);
    r = sd_bus_call_method_async(p->bus, &q->slot, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                 "org.freedesktop.DBus", "GetConnectionUnixUser", on_answer, q, "s",
                                 sender);
    if (r < 0) {
        inquiry_free(q);
        return r;
    }
    *ret = q;
    return 0;
}

static int park(BusPeers *p, const char *sender, sd_bus_message *m) {
    Inquiry *q = find_inquiry(p, sender);
    int r;

    if (p->n_parked >= PARKED_CALLS_MAX || strlen(sender) >= NAME_MAX_SIZE)
        return -ENOBUFS;
    if (!q) {
        r = ask(p, sender, &q);
        if (r < 0)
            return r;
    }
    return parked_calls_add(&q->calls, m);
}

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    BusPeers *p = userdata;
    const char *sender = sd_bus_message_get_sender(m);
    uint8_t type;
    int r;

    if (sd_bus_message_get_type(m, &type) < 0 || type != SD_BUS_MESSAGE_METHOD_CALL)
        return 0;
    if (!sender || is_known(p, sender))
        return 0;
    r = park(p, sender, m);
    /* The answer may be nobody's wish; the call must go no further all the same. */
    if (r < 0)
        (void)sd_bus_reply_method_errorf(m, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                         "Cannot ask the bus who calls: %s. Try again",
                                         strerror(-r));
    return 1;
}

int bus_peers_new(BusPeers **ret, sd_bus *bus) {
    BusPeers *p = calloc(1, sizeof(BusPeers));

    if (!p)
        return -ENOMEM;
    p->bus = bus;
    TAILQ_INIT(&p->inquiries);
    int r = sd_bus_add_filter(bus, &p->filter, on_message, p);
    if (r < 0) {
        free(p);
        return r;
    }
    *ret = p;
    return 0;
}

BusPeers *bus_peers_free(BusPeers *p) {
    if (!p)
        return NULL;
    for (Inquiry *q; (q = TAILQ_FIRST(&p->inquiries));)
        inquiry_free(q);
    sd_bus_slot_unref(p->filter);
    free(p);
    return NULL;
}
