#pragma once

#include <glib.h>

typedef struct TextCutMax {
    guint chars, lines;
} TextCutMax;

/* The beginning of a text, with … where something is missing; was_cut may be NULL. g_free(). */
char *text_cut(const char *text, const TextCutMax *max, gboolean *was_cut);
