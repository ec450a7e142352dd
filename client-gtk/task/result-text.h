#pragma once

#include <glib.h>

/* A result (a JSON text in UTF-8) with its parts on lines of their own, for people: cut soon after
 * max bytes of what it becomes, and no line much longer than LONGRUN_RESULT_LINE_MAX, for a line
 * without end would hold up the window. *ret_cut: there was more. g_free(). */
#define LONGRUN_RESULT_LINE_MAX 2000

char *result_text(const char *json, gsize max, gboolean *ret_cut);
