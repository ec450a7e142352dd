#include "client-cli/words.h"

#include <stdio.h>

#include "client-cli/output.h"

char *words_join(char **words, size_t n) {
    char *text = NULL;
    size_t size;
    FILE *f = must(open_memstream(&text, &size));

    for (size_t i = 0; i < n; i++)
        fprintf(f, "%s%s", i > 0 ? " " : "", words[i]);
    fclose(f);
    return must(text);
}
