#pragma once

#include <stddef.h>

/* The words with a space between them, as of echo(1). Fresh string. */
char *words_join(char **words, size_t n);
