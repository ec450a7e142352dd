#pragma once

#include <adwaita.h>

#include "client-gtk/base/daemon-link.h"

/* The window: pages of tasks, backends and messages, and on top of them the page of a task.
 *
 * The page of a task has a header bar of its own, with a button for win.back.
 *
 * Actions: win.back to where one came from, win.lists to the list of tasks. Keys that mean
 * something else on each page (Ctrl+F, F5) are given to the one that is seen, as its actions
 * page.search and page.reload, when it has them. */
#define LONGRUN_TYPE_MAIN_WINDOW (main_window_get_type())
G_DECLARE_FINAL_TYPE(MainWindow, main_window, LONGRUN, MAIN_WINDOW, AdwApplicationWindow)

MainWindow *main_window_new(GtkApplication *app, DaemonLink *link);

void main_window_show_task(MainWindow *self, guint64 id);

void main_window_show_tasks(MainWindow *self);
