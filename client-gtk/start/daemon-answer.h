#pragma once

#include <glib.h>

/* The field that an error of the daemon belongs to: the name of an option, or "params.NAME" of a
 * parameter; NULL when it is about none of them. To be freed with g_free().
 *
 * name: of the error, without its prefix ("InvalidOption"), or NULL; message: its words. kind: that
 * was to be started. */
char *daemon_answer_field(const char *kind, const char *name, const char *message);
