#pragma once

#include "client-gtk/log/log-needle.h"
#include "client-gtk/log/log-reader.h"

/* Searches a log, a slice at a time: each call looks through so many bytes at the most, in a
 * thread, and says where to go on. So it can be watched, and given up, however long the log is.
 * What is searched is the text that is shown. */

#define LOG_SEARCH_SLICE (64 * 1024 * 1024)

typedef struct LogMatch {
    guint64 row;
    guint number; /* which one in its row, from 0 */
} LogMatch;

static inline int log_match_compare(const LogMatch *a, const LogMatch *b) {
    return a->row != b->row         ? (a->row < b->row ? -1 : 1)
           : a->number != b->number ? (a->number < b->number ? -1 : 1)
                                    : 0;
}

typedef struct LogQuery {
    LogNeedle *needle; /* not owned */
    LogPlace place;    /* from here on; backwards, from the row's end back */
    guint64 limit;     /* rows that begin there, or behind, are not looked at */
    gboolean backwards;
    guint max; /* matches; backwards the last one alone is given */
    /* Backwards: those from this one on do not count. */
    LogMatch before;
} LogQuery;

typedef struct LogFound {
    GArray *matches; /* LogMatch, in the order of the log */
    guint open;      /* the last so many of them are in a row that has not ended: it comes again */
    LogPlace next;   /* where to go on */
    gboolean at_end; /* there is nowhere to go on */
    guint64 size;    /* of the log */
} LogFound;

void log_search_async(LogReader *reader, const LogQuery *query, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer userdata);
LogFound *log_search_finish(LogReader *reader, GAsyncResult *result, GError **error);

void log_found_free(LogFound *f);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(LogFound, log_found_free)
