#pragma once

#include <adwaita.h>

#include "client-gtk/log/log-reader.h"

/* Saves a log: asks where to, shows how far it is and lets people cancel it. Hidden else. It goes
 * on while another log is shown. */
#define LONGRUN_TYPE_LOG_SAVE_BAR (log_save_bar_get_type())
G_DECLARE_FINAL_TYPE(LogSaveBar, log_save_bar, LONGRUN, LOG_SAVE_BAR, AdwBin)

/* One at a time: while it saves, nothing happens. */
void log_save_bar_ask(LogSaveBar *self, LogReader *reader, guint64 id);
