#pragma once

#include <gio/gio.h>

/* Errors of calls: names and words of the daemon, without what GDBus puts before them. */

/* "InvalidOption" of org.longrun.Longrun1.Error.InvalidOption; NULL for an error that is none of
 * the daemon's. Free with g_free(). */
char *daemon_error_name(const GError *error);

gboolean daemon_error_is(const GError *error, const char *name);

/* The message as people should see it. Free with g_free(). */
char *daemon_error_text(const GError *error);

/* The call was cancelled by us: nothing to tell anybody. */
gboolean daemon_error_is_cancelled(const GError *error);
