#pragma once

#include <gio/gio.h>

#include "client-gtk/log/log-reader.h"

/* Copies a log to a file, in a thread: every byte that there is by now, as the task has printed it.
 * A copy that fails leaves nothing behind, and a file that was there before as it was. */

/* Called in the main loop now and then: bytes of all that are there. */
typedef void (*LogSaveProgress)(guint64 done, guint64 all, gpointer userdata);

/* progress may be NULL; it is not called any more once the callback was. */
void log_save_async(LogReader *reader, GFile *to, GCancellable *cancellable,
                    LogSaveProgress progress, GAsyncReadyCallback callback, gpointer userdata);
gboolean log_save_finish(LogReader *reader, GAsyncResult *result, GError **error);
