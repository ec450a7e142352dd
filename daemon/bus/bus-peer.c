#include "daemon/bus/bus-peer.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/macro.h"

/* Unique names are never used again, so what was found out about one holds; the last few are
 * enough. */
#define KNOWN_MAX 64
#define NAME_MAX_SIZE 32

struct BusPeers {
    sd_bus *bus; /* not owned */
    sd_bus_slot *filter;
    char known[KNOWN_MAX][NAME_MAX_SIZE];
    size_t next;
};

static bool is_known(const BusPeers *p, const char *sender) {
    for (size_t i = 0; i < KNOWN_MAX; i++)
        if (streq(p->known[i], sender))
            return true;
    return false;
}

/* Asks the bus, and waits for it: once for each connection. The bus answers this itself, at once.
 */
static int check_sender(BusPeers *p, const char *sender) {
    sd_bus_creds *creds = NULL;
    uid_t uid;
    int r = sd_bus_get_name_creds(p->bus, sender, SD_BUS_CREDS_EUID, &creds);

    if (r >= 0)
        r = sd_bus_creds_get_euid(creds, &uid);
    sd_bus_creds_unref(creds);
    if (r < 0)
        return r;
    if (uid != geteuid())
        return -EPERM;
    if (strlen(sender) < NAME_MAX_SIZE)
        strcpy(p->known[p->next++ % KNOWN_MAX], sender);
    return 0;
}

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    BusPeers *p = userdata;
    const char *sender = sd_bus_message_get_sender(m);
    uint8_t type;

    if (sd_bus_message_get_type(m, &type) < 0 || type != SD_BUS_MESSAGE_METHOD_CALL)
        return 0;
    if (!sender || is_known(p, sender))
        return 0;
    int r = check_sender(p, sender);
    if (r >= 0)
        return 0;
    log_notice("Refused a call of %s, which is not the user's own: %s", sender, strerror(-r));
    (void)sd_bus_reply_method_errorf(m, "org.longrun.Longrun1.Error.NotPermitted",
                                     "Only user %u may use this daemon. Call longrund on the "
                                     "session bus of your own user",
                                     (unsigned)geteuid());
    return 1;
}

int bus_peers_new(BusPeers **ret, sd_bus *bus) {
    BusPeers *p = calloc(1, sizeof(BusPeers));

    if (!p)
        return -ENOMEM;
    p->bus = bus;
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
    sd_bus_slot_unref(p->filter);
    free(p);
    return NULL;
}
