#pragma once

#include "client-gtk/log/log-search.h"

/* The search in a log that somebody sees: counts what there is, up to a cap, and goes from one
 * match to the next or the one before, around the end. Both go on in threads.
 *
 * Signals: "changed", when what the others below give may be another; "found", when there is
 * another current match: that is where to go. */
#define LONGRUN_TYPE_LOG_FINDER (log_finder_get_type())
G_DECLARE_FINAL_TYPE(LogFinder, log_finder, LONGRUN, LOG_FINDER, GObject)

#define LOG_FINDER_MAX 1000u

LogFinder *log_finder_new(void);

/* The log; NULL: none any more. */
void log_finder_set_reader(LogFinder *self, LogReader *reader);

/* Begins a search, at the row and behind; "" ends it. */
void log_finder_search(LogFinder *self, const char *text, guint64 row);

/* Goes to the next one, or to the one before. row: where to begin when there is no current one. */
void log_finder_step(LogFinder *self, gboolean forward, guint64 row);

/* There is more of the log. */
void log_finder_grown(LogFinder *self);

/* NULL: nothing is searched for. */
const LogNeedle *log_finder_get_needle(LogFinder *self);

/* FALSE: there is none, or none yet. */
gboolean log_finder_get_current(LogFinder *self, LogMatch *ret);

typedef struct LogTally {
    guint count;      /* LOG_FINDER_MAX: or more */
    guint number;     /* which of them is the current one, from 1; 0: not known */
    gboolean busy;    /* some of the log has not been looked through */
    gboolean nothing; /* there is none in the whole log */
    char *error;      /* or NULL; owned by the finder */
} LogTally;

LogTally log_finder_get_tally(LogFinder *self);
