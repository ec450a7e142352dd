#include "client-cli/here.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client-cli/output.h"
#include "common/cleanup.h"

char *here_path(const char *given, const char *advice) {
    _cleanup_free_ char *here = NULL;
    char *joined;

    if (given && given[0] == '/')
        return must(strdup(given));
    here = get_current_dir_name();
    if (!here || here[0] != '/') {
        print_error("cannot tell the working directory: %s.%s", strerror(here ? ENOENT : errno),
                    advice);
        return NULL;
    }
    if (!given)
        return TAKE_PTR(here);
    if (asprintf(&joined, "%s/%s", streq(here, "/") ? "" : here, given) < 0)
        joined = NULL;
    return must(joined);
}
