#include "daemon/logout.h"

#include <pwd.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fd-io.h"

#define CGROUPS_MAX (64 * KIB)

static bool is_below_user_manager(void) {
    _cleanup_free_ char *cgroups = NULL;
    char manager[64];

    if (file_read_all("/proc/self/cgroup", CGROUPS_MAX, &cgroups, NULL) < 0)
        return false;
    snprintf(manager, sizeof(manager), "/user@%u.service/", (unsigned)getuid());
    return strstr(cgroups, manager);
}

/* Where logind keeps it: it can be asked for this on the system bus alone, which is more than a
 * daemon of a user otherwise needs. */
static bool lingers(void) {
    const struct passwd *p = getpwuid(getuid());
    char path[512];

    if (!p)
        return false;
    snprintf(path, sizeof(path), "/var/lib/systemd/linger/%s", p->pw_name);
    return access(path, F_OK) == 0;
}

bool logout_ends_us(void) {
    return is_below_user_manager() && !lingers();
}
