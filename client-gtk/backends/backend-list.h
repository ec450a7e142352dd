#pragma once

#include "client-gtk/backends/backend-item.h"

/* All backends, by name: a GListModel of BackendItem. What stays keeps its item, and with it what
 * is known of it, through each reload. */
#define LONGRUN_TYPE_BACKEND_LIST (backend_list_get_type())
G_DECLARE_FINAL_TYPE(BackendList, backend_list, LONGRUN, BACKEND_LIST, GObject)

/* The daemon has 2000 at most; whatever it says, there are no more here. */
#define BACKEND_LIST_MAX 5000

BackendList *backend_list_new(void);

/* listed: a(so), as ListBackends gives it. */
void backend_list_set(BackendList *self, GVariant *listed);

void backend_list_add(BackendList *self, const char *name, const char *path);
void backend_list_remove(BackendList *self, const char *name);

/* NULL when there is none; owned by self. */
BackendItem *backend_list_find(BackendList *self, const char *name);
BackendItem *backend_list_find_path(BackendList *self, const char *path);
/* Its place; GTK_INVALID_LIST_POSITION (G_MAXUINT) when it is not in it. */
guint backend_list_place(BackendList *self, BackendItem *item);
