#include "client-cli/logout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client-cli/client.h"
#include "client-cli/output.h"
#include "common/fd-io.h"

/* Beside the daemon's folder: that one is the daemon's alone. */
#define STAMP "longrun-logout-warned"

static char *stamp_path(void) {
    const char *dir = getenv("XDG_RUNTIME_DIR");
    char *path;

    if (isempty(dir))
        return NULL;
    if (asprintf(&path, "%s/" STAMP, dir) < 0)
        path = NULL;
    return must(path);
}

/* False also when a daemon of an older version does not know, or has just gone: it is only advice.
 */
static bool ends_at_logout(sd_bus *bus) {
    int ends = false;

    return sd_bus_get_property_trivial(bus, CLIENT_NAME, CLIENT_ROOT, CLIENT_MANAGER,
                                       "EndsAtLogout", NULL, 'b', &ends) >= 0 &&
           ends;
}

void logout_warn(sd_bus *bus) {
    _cleanup_free_ char *path = stamp_path();
    _cleanup_close_ int fd = -EBADF;

    if ((path && access(path, F_OK) == 0) || !ends_at_logout(bus))
        return;
    /* Of several that come here at once, one says it. */
    if (path) {
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0 && errno == EEXIST)
            return;
    }
    print_error("tasks end when you log out: your systemd user manager stops then, and they with "
                "it.\nTo let them go on without you: loginctl enable-linger");
}
