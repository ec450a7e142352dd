#pragma once

#include <gtk/gtk.h>

/* A day of a calendar and a time of it, in a popover. Signal "chosen" (s): as start-time.h reads
 * it. */
#define LONGRUN_TYPE_TIME_CHOOSER (time_chooser_get_type())
G_DECLARE_FINAL_TYPE(TimeChooser, time_chooser, LONGRUN, TIME_CHOOSER, GtkPopover)

GtkWidget *time_chooser_new(void);
