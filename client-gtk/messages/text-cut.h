#pragma once

#include <glib.h>

typedef struct TextCutMax {
    guint chars, lines;
} TextCutMax;

/* The beginning of a text, with … where something is missing; was_cut may be NULL. g_free(). */
char *text_cut(const char *text, const TextCutMax *max, gboolean *was_cut);

/* All of it in pieces of at most so many characters (more than one): cut at the end of a line or
 * behind a space if there is one in the second half of a piece. A line break at which it was cut is
 * in neither. Of strings, at least one. */
GPtrArray *text_pieces(const char *text, guint max);
