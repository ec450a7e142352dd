#pragma once

#include "client-cli/command.h"

/* The body of a request: a word of the command line, @FILE, or - for standard input. Fresh string,
 * which is UTF-8. 0; EXIT_FAILURE or -errno after a message. */
int body_read(const char *word, char **ret);
/* The same of a file alone, or -. */
int body_read_file(const char *name, char **ret);
