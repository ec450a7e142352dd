#include "client-gtk/base/daemon-error.h"

#define PREFIX "org.longrun.Longrun1.Error."

char *daemon_error_name(const GError *error) {
    g_autofree char *name = g_dbus_error_get_remote_error(error);

    if (!name || !g_str_has_prefix(name, PREFIX))
        return NULL;
    return g_strdup(name + strlen(PREFIX));
}

gboolean daemon_error_is(const GError *error, const char *name) {
    g_autofree char *theirs = daemon_error_name(error);

    return g_strcmp0(theirs, name) == 0;
}

char *daemon_error_text(const GError *error) {
    g_autoptr(GError) copy = g_error_copy(error);

    g_dbus_error_strip_remote_error(copy);
    return g_strdup(copy->message);
}

gboolean daemon_error_is_cancelled(const GError *error) {
    return g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}
