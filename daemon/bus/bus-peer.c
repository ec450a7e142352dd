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
    ParkedCalls calls; /* wait for the answer */
    ParkedCalls back;  /* it has come: they were put back, and will come by again in their order */
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
    parked_calls_done(&q->back);
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

/* Handled behind what has been read from the socket already, of which some may be the same
 * sender's: see hold(). */
static int put_back(Inquiry *q, sd_bus_message *m) {
    int r = parked_calls_add(&q->back, m);

    return r < 0 ? r : sd_bus_enqueue_for_read(q->peers->bus, m);
}

static void remember(BusPeers *p, const char *sender) {
    strcpy(p->known[p->next++ % KNOWN_MAX], sender);
}

static int on_answer(sd_bus_message *answer, void *userdata, sd_bus_error *ret_error) {
    Inquiry *q = userdata;
    bool gone = sd_bus_message_is_method_error(answer, NULL);
    uint32_t uid = UINT32_MAX;
    bool own = !gone && sd_bus_message_read_basic(answer, 'u', &uid) >= 0 && uid == geteuid();

    if (!own && !gone)
        log_notice("Refused calls of %s, which is user %u", q->sender, uid);
    q->slot = sd_bus_slot_unref(q->slot);
    for (sd_bus_message *m; (m = parked_calls_take(&q->calls));) {
        if (!own || put_back(q, m) < 0)
            refuse(m);
        sd_bus_message_unref(m);
    }
    if (q->back.n == 0)
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
    parked_calls_init(&q->calls, PARKED_CALLS_MAX, &p->n_parked);
    parked_calls_init(&q->back, PARKED_CALLS_MAX, &p->n_parked);
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

static int park(BusPeers *p, const char *sender, Inquiry *q, sd_bus_message *m) {
    if (p->n_parked >= PARKED_CALLS_MAX || strlen(sender) >= NAME_MAX_SIZE)
        return -ENOBUFS;
    int r = q ? 0 : ask(p, sender, &q);
    return r < 0 ? r : parked_calls_add(&q->calls, m);
}

/* True when the call was put back; then it is let through, and the last of them closes the case. */
static bool comes_by_again(Inquiry *q, const sd_bus_message *m) {
    if (!parked_calls_pass(&q->back, m))
        return false;
    if (q->back.n == 0) {
        remember(q->peers, q->sender);
        inquiry_free(q);
    }
    return true;
}

/* As long as some are to come by again, a later one must not overtake them. */
static int hold(BusPeers *p, const char *sender, Inquiry *q, sd_bus_message *m) {
    return q && q->back.n > 0 ? put_back(q, m) : park(p, sender, q, m);
}

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    BusPeers *p = userdata;
    const char *sender = sd_bus_message_get_sender(m);
    uint8_t type;

    if (sd_bus_message_get_type(m, &type) < 0 || type != SD_BUS_MESSAGE_METHOD_CALL)
        return 0;
    if (!sender || is_known(p, sender))
        return 0;
    Inquiry *q = find_inquiry(p, sender);
    if (q && comes_by_again(q, m))
        return 0;
    int r = hold(p, sender, q, m);
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
