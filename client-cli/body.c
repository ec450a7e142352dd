#include "client-cli/body.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "client-cli/output.h"
#include "common/cleanup.h"
#include "common/fd-io.h"
#include "common/text.h"

#define BODY_MAX (8 * MIB)

static int read_fd(int fd, const char *name, char **ret) {
    _cleanup_free_ char *text = NULL;
    size_t size;
    int r = fd_read_all(fd, BODY_MAX, &text, &size);

    if (r == -EFBIG)
        return print_error("%s: a body has at most 8M", name);
    if (r < 0)
        return print_error("cannot read %s: %s", name, strerror(-r));
    if (strlen(text) != size || !utf8_is_valid(text))
        return print_error("%s is not UTF-8 text, and D-Bus carries no other", name);
    *ret = TAKE_PTR(text);
    return 0;
}

int body_read_file(const char *name, char **ret) {
    if (streq(name, "-"))
        return read_fd(STDIN_FILENO, "stdin", ret);
    _cleanup_close_ int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return fd < 0 ? print_error("cannot open %s: %s", name, strerror(errno))
                  : read_fd(fd, name, ret);
}

int body_read(const char *word, char **ret) {
    if (streq(word, "-"))
        return body_read_file(word, ret);
    if (word[0] == '@')
        return body_read_file(word + 1, ret);
    int r = text_check("the body", word);
    if (r == 0)
        *ret = must(strdup(word));
    return r;
}
