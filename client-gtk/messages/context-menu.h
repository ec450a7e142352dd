#pragma once

#include <gtk/gtk.h>

/* The context menu of a row: by the secondary button, by a long press, and by keyboard from the
 * list that has the row. It is made when it is first shown. */

/* With a reference to menu. */
void context_menu_attach(GtkWidget *row, GMenuModel *menu);

/* In dispose(). */
void context_menu_detach(GtkWidget *row);

/* Menu and Shift+F10 in a list view open the menu of the row that has the focus. */
void context_menu_add_keys(GtkWidget *list_view);

/* What the factory of list_view has made for the row that has the focus; NULL when none has. */
GtkWidget *context_menu_focused_row(GtkWidget *list_view);
