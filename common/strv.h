#pragma once

#include "common/cleanup.h"
#include "common/macro.h"

/* NULL-terminated vectors of strings, as execve(2) takes them. NULL is the empty vector. */

#define STRV_FOREACH(s, v) for (char **s = (v); s && *s; s++)

char **strv_free(char **v); /* frees the strings too; gives back NULL */
DEFINE_CLEANUP(char **, strv_free)

size_t strv_length(char *const *v);
char **strv_copy(char *const *v); /* NULL when memory is short */
int strv_push(char ***v, size_t *count,
              char *s); /* takes s also on failure; *count strings so far */
