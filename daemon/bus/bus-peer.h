#pragma once

#include <systemd/sd-bus.h>

/* Lets callers of the daemon's own uid in and nobody else: a session bus may be open to more than
 * its owner. */

typedef struct BusPeers BusPeers;

/* Looks at every method call that comes on the bus from now on; on a direct connection, which has
 * no senders, whoever made it is trusted. */
int bus_peers_new(BusPeers **ret, sd_bus *bus);
BusPeers *bus_peers_free(BusPeers *p); /* NULL-safe, gives NULL */
