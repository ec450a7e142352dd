#pragma once

#include <glib.h>
#include <stdbool.h>

/* A command as people write it in one line, and the words that it is. */

/* More than that is no line any more. */
#define COMMAND_LINE_MAX (64 * 1024)

/* Splits as a shell does: blanks, quotes and backslashes; nothing else has a meaning. NULL with
 * *ret_error set (to be freed with g_free()) when a quote is open or nothing is there.
 * ret_is_shell, if not NULL: there is something outside of quotes that a shell would act on, such
 * as a pipe, and that is now passed on as a word. */
GStrv command_line_split(const char *line, bool *ret_is_shell, char **ret_error);

/* The line that runs it in a shell: sh -c '...'. To be freed with g_free(). */
char *command_line_in_shell(const char *line);

/* The line with these words behind it, quoted where that is needed. To be freed with g_free(). */
char *command_line_append(const char *line, const char *const *words);

/* A word as it is shown: without what would break the line; shortened. To be freed with g_free().
 */
char *command_line_shown(const char *word);
