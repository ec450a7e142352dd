#pragma once

#include <gio/gio.h>

/* Ids of tasks as people write them on the command line. */

#define TASK_IDS_MAX 20

/* The ids (guint64), in their order; NULL and error for a word that is none, or too many. NULL
 * words are none. Free with g_array_unref(). */
GArray *task_ids_parse(const char *const *words, GError **error);
