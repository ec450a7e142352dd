#pragma once

#include <gio/gio.h>

/* The commands that were started from here, the newest first. The file is read and written in a
 * thread. Signal "changed". */
#define LONGRUN_TYPE_COMMAND_HISTORY (command_history_get_type())
G_DECLARE_FINAL_TYPE(CommandHistory, command_history, LONGRUN, COMMAND_HISTORY, GObject)

/* Begins to read it. path: NULL for the usual one, in XDG_STATE_HOME. */
CommandHistory *command_history_new(const char *path);

/* Owned by self; good until "changed". */
const char *const *command_history_lines(CommandHistory *self);

/* Both are carried out also when self, or the last window, is gone meanwhile. */
void command_history_add(CommandHistory *self, const char *line);
void command_history_clear(CommandHistory *self);
