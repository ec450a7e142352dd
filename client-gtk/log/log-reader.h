#pragma once

#include <gio/gio.h>

#include "client-gtk/log/log-block.h"

/* Reads a log in threads, never in the caller's. The files stay open as long as a thread or the
 * owner needs them. */
#define LONGRUN_TYPE_LOG_READER (log_reader_get_type())
G_DECLARE_FINAL_TYPE(LogReader, log_reader, LONGRUN, LOG_READER, GObject)

/* Takes the descriptor. */
LogReader *log_reader_new(int log_fd);

const LogFiles *log_reader_get_files(LogReader *self);

/* Takes the descriptor: blocks tell streams from now on. Once. */
void log_reader_set_index(LogReader *self, int index_fd);

typedef enum LogWhat {
    LOG_READ_END,    /* the last rows */
    LOG_READ_AFTER,  /* from a place on */
    LOG_READ_BEFORE, /* those before the row at the place */
    LOG_READ_AROUND, /* those around the byte at the place */
    LOG_READ_SIZE,   /* none: just how large the log is by now */
} LogWhat;

typedef struct LogRequest {
    LogWhat what;
    LogPlace place;
    guint rows;
    gsize bytes;
    /* Of LOG_READ_AFTER: when there is more than that behind the place, the last rows are read
     * instead, and so the block does not begin at the place. 0: never. */
    gsize skip;
} LogRequest;

void log_reader_read_async(LogReader *self, const LogRequest *request, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer userdata);
LogBlock *log_reader_read_finish(LogReader *self, GAsyncResult *result, GError **error);
