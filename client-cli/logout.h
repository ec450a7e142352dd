#pragma once

#include <systemd/sd-bus.h>

/* Says on stderr, once a login, that tasks end at the logout, where they do. What has been said is
 * remembered by a file in XDG_RUNTIME_DIR, which goes with the login. */
void logout_warn(sd_bus *bus);
