#pragma once

#include <gtk/gtk.h>

/* Children one after the other, in as many lines as they take. */
#define LONGRUN_TYPE_WRAP_LAYOUT (wrap_layout_get_type())
G_DECLARE_FINAL_TYPE(WrapLayout, wrap_layout, LONGRUN, WRAP_LAYOUT, GtkLayoutManager)

GtkLayoutManager *wrap_layout_new(int spacing);
