#pragma once

#include <glib.h>

/* Lists as people write them, see field.h. All give a floating GVariant, or NULL with *ret_error
 * set (to be freed with g_free()); a list without anything in it is NULL alone. */

GVariant *field_list_lines(const char *text);
GVariant *field_list_env(const char *text, char **ret_error);
GVariant *field_list_headers(const char *text, char **ret_error);
GVariant *field_list_paths(const char *text, char **ret_error);

/* Between commas or blanks. */
GVariant *field_list_id(const char *text, char **ret_error);
GVariant *field_list_ids(const char *text, char **ret_error);
GVariant *field_list_codes(const char *text, char **ret_error);
GVariant *field_list_tokens(const char *text, char **ret_error);

/* One path, absolute: "~/x" is in the home folder. To be freed with g_free(); NULL with *ret_error
 * set for one that is neither. */
char *field_list_path(const char *text, char **ret_error);
