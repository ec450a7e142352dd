#pragma once

#include "common/macro.h"

/* Whether systemd ends the daemon and its tasks when their user logs out: it does with everything
 * below the user's manager, unless the user lingers (loginctl(1)). */
bool logout_ends_us(void);
