#pragma once

#include <gtk/gtk.h>

#include "client-gtk/start/command-history.h"

/* A command line, its history, and the words that it is split into. Up and Down go through the
 * history. */
#define LONGRUN_TYPE_COMMAND_ENTRY (command_entry_get_type())
G_DECLARE_FINAL_TYPE(CommandEntry, command_entry, LONGRUN, COMMAND_ENTRY, GtkBox)

CommandEntry *command_entry_new(void);

/* The line itself. */
GtkEditable *command_entry_get_editable(CommandEntry *self);
