#pragma once

#include <adwaita.h>

#include "client-gtk/log/log-finder.h"

/* Where a search in a log is typed, and how it goes.
 *
 * Signals: "search" (string), another text; "step" (boolean: forward), to the next match or the one
 * before; "closed". */
#define LONGRUN_TYPE_LOG_SEARCH_BAR (log_search_bar_get_type())
G_DECLARE_FINAL_TYPE(LogSearchBar, log_search_bar, LONGRUN, LOG_SEARCH_BAR, AdwBin)

/* Opened, it has the focus; closed, its text is empty. */
void log_search_bar_set_open(LogSearchBar *self, gboolean open);

void log_search_bar_set_tally(LogSearchBar *self, const LogTally *tally);
