#include "daemon/config-file.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fd-io.h"
#include "common/log.h"

#define FILE_MAX (1 * MIB)

/* Of a name of a section inih has room for one byte less. */
#define SECTION_SIZE 50

/* ---- errors ---- */

int config_file_error(ConfigFile *f, const char *format, ...) {
    _cleanup_free_ char *text = NULL;
    va_list ap;

    va_start(ap, format);
    if (vasprintf(&text, format, ap) < 0)
        text = NULL;
    va_end(ap);
    return error_set(f->error, ERROR_INVALID_OPTION, "%s: line %u: %s", f->path, f->line,
                     strempty(text));
}

void config_file_locate(ConfigFile *f) {
    error_prefix(f->error, "%s: line %u: ", f->path, f->line);
}

/* What is wrong is in the error, or noted: the first of several counts. */
static void note_failure(ConfigFile *f, int r) {
    if (r == -ENOMEM)
        f->out_of_memory = true;
}

/* ---- lines ---- */

/* inih tells of a section with its first key, and of a part of its name when that is long. */
static void begin_section(ConfigFile *f, const char *begin, size_t size) {
    const char *end = memchr(begin, ']', size);
    char section[SECTION_SIZE];

    if (!end)
        return;
    size_t len = (size_t)(end - begin);
    if (len >= sizeof(section)) {
        (void)config_file_error(f, "the name of the section has more than %d bytes",
                                SECTION_SIZE - 1);
        return;
    }
    memcpy(section, begin, len);
    section[len] = '\0';
    if (f->on_section)
        note_failure(f, f->on_section(f, section));
}

/* As fgets(3), for inih, which has room for some 200 bytes: of a comment the rest is left out, a
 * longer value is an error. */
static char *read_line(char *buf, int size, void *userdata) {
    ConfigFile *f = userdata;
    size_t len = strcspn(f->rest, "\n"), room = (size_t)size - 2;
    const char *begin = f->rest + strspn(f->rest, " \t");

    if (!*f->rest)
        return NULL;
    f->line++;
    if (len > room && !strchr("#;", *begin))
        error_set(f->error, ERROR_INVALID_OPTION, "%s: line %u has more than %zu bytes", f->path,
                  f->line, room);
    else if (*begin == '[')
        begin_section(f, begin + 1, len - (size_t)(begin + 1 - f->rest));
    memcpy(buf, f->rest, MIN(len, room));
    strcpy(buf + MIN(len, room), "\n");
    f->rest += len + (f->rest[len] == '\n');
    return buf;
}

/* inih wants 1 for a line that is all right. */
static int on_line(void *userdata, const char *section, const char *name, const char *value) {
    ConfigFile *f = userdata;
    int r = f->on_key(f, section, name, value);

    if (r == -ENOENT)
        log_warning("%s: unknown key %s= in section [%s], ignoring", f->path, name, section);
    note_failure(f, r);
    return r >= 0 || r == -ENOENT;
}

/* ---- all of it ---- */

/* The file may be a link to where somebody keeps such files. */
static int read_text(const char *path, char **ret) {
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
    return fd_read_all(fd, FILE_MAX, ret, NULL);
}

static int parse_text(ConfigFile *f) {
    int line = ini_parse_stream(read_line, f, on_line, f);

    if (f->out_of_memory || line < 0)
        return -ENOMEM;
    if (line > 0)
        error_set(f->error, ERROR_INVALID_OPTION, "%s: line %d is neither [Section] nor Key=Value",
                  f->path, line);
    return f->error->code != ERROR_NONE ? -EREMOTE : 0;
}

int config_file_read(ConfigFile *f) {
    _cleanup_free_ char *text = NULL;
    int r = read_text(f->path, &text);

    if (r < 0)
        return r;
    f->rest = text;
    r = parse_text(f);
    f->rest = NULL;
    return r;
}
